// urql: queries and mutations over HTTP; subscriptions over graphql-ws, or with {"sse": true} over server-sent events.
// With {"persisted": true} by hash first; then {results, requests} are printed, each request as what it had.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { recorder } from './recorder.mjs';

const { url, operations, sse, persisted } = JSON.parse(process.argv[2]);
const { fetch, requests } = recorder();
const byHash = persistedExchange({ enableForMutation: true, enableForSubscriptions: true });
const socket = createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
const overSocket = subscriptionExchange({
  forwardSubscription: ({ query, variables, extensions }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? '', variables, extensions }, sink) }),
  }),
});
const client = new Client({
  url,
  fetch,
  exchanges: [...(persisted ? [byHash] : []), ...(sse ? [] : [overSocket]), fetchExchange],
  fetchSubscriptions: Boolean(sse),
  preferGetMethod: false,
  requestPolicy: 'network-only',
});

const shown = ({ data, error }) => ({
  data,
  ...(error && {
    errors: error.graphQLErrors.map(({ message, extensions }) => ({ message, extensions })),
    network: error.networkError ? String(error.networkError) : undefined,
  }),
});

async function run(query, variables) {
  if (query.trimStart().startsWith('subscription')) {
    const seen = [];
    await new Promise((resolve) => {
      const { unsubscribe } = client.subscription(query, variables).subscribe((result) => {
        if (result.hasNext || result.error) seen.push(shown(result)); // the end repeats the last result
        if (!result.hasNext || result.error) {
          resolve();
          unsubscribe?.();
        }
      });
    });
    return seen;
  }
  const ask = query.trimStart().startsWith('mutation') ? client.mutation : client.query;
  return [shown(await ask.call(client, query, variables).toPromise())];
}

const results = [];
for (const { query, variables } of operations) results.push(await run(query, variables));
await socket.dispose();
console.log(JSON.stringify(persisted ? { results, requests } : results));
