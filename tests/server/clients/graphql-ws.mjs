// graphql-ws: runs {url, operations} given as JSON; prints the list of results of each operation.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const { url, operations, params } = JSON.parse(process.argv[2]);
const client = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: params,
  retryAttempts: 0,
});

const results = [];
for (const { query, variables } of operations) {
  const seen = [];
  try {
    for await (const result of client.iterate({ query, variables })) seen.push(result);
  } catch (error) {
    seen.push(Array.isArray(error) ? { errors: error } : { closed: error.code, reason: error.reason });
  }
  results.push(seen);
}
await client.dispose();
console.log(JSON.stringify(results));
