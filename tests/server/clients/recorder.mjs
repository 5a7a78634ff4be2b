// A fetch that remembers of each request its method and whether it had a hash and a text.
export function recorder() {
  const requests = [];
  return {
    requests,
    fetch(url, options = {}) {
      const method = options.method ?? 'GET';
      const { query, extensions } =
        method === 'GET' ? Object.fromEntries(new URL(url).searchParams) : JSON.parse(options.body);
      const hash = JSON.stringify(extensions ?? '').includes('persistedQuery');
      requests.push([method, ...(hash ? ['hash'] : []), ...(query ? ['text'] : [])].join(' '));
      return globalThis.fetch(url, options);
    },
  };
}
