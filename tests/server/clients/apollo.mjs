// Apollo Client: queries and mutations over HTTP; subscriptions over graphql-ws, or with {"sse": true} over graphql-sse.
// With {"persisted": "POST"} or "GET" by hash first; then {results, requests} are printed, each request as what it had.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode, print } from 'graphql';
import { createClient as createStreamClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { createHash } from 'node:crypto';
import { Observable } from 'rxjs';
import WebSocket from 'ws';
import { recorder } from './recorder.mjs';

const { url, operations, persisted, sse } = JSON.parse(process.argv[2]);
const { fetch, requests } = recorder();
const socket = createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
const stream = createStreamClient({ url, retryAttempts: 0 });
const byHash = new PersistedQueryLink({
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  useGETForHashedQueries: persisted === 'GET',
});
const overStream = new ApolloLink(
  ({ query, variables }) =>
    new Observable((sink) => stream.subscribe({ query: print(query), variables }, sink)),
);
const http = new HttpLink({ uri: url, fetch });
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    sse ? overStream : new GraphQLWsLink(socket),
    persisted ? ApolloLink.from([byHash, http]) : http,
  ),
});

const shown = ({ data, error }) => ({
  data,
  ...(error && { errors: CombinedGraphQLErrors.is(error) ? error.errors : [{ message: String(error) }] }),
});

async function run(query, variables) {
  const document = gql(query);
  switch (document.definitions[0].operation) {
    case 'query':
      return [shown(await client.query({ query: document, variables, errorPolicy: 'all', fetchPolicy: 'no-cache' }))];
    case 'mutation':
      return [shown(await client.mutate({ mutation: document, variables, errorPolicy: 'all' }))];
    default: {
      const seen = [];
      await new Promise((resolve) => {
        client
          .subscribe({ query: document, variables, errorPolicy: 'all', fetchPolicy: 'no-cache' })
          .subscribe({ next: (result) => seen.push(shown(result)), complete: resolve, error: resolve });
      });
      return seen;
    }
  }
}

const results = [];
for (const { query, variables } of operations) results.push(await run(query, variables));
await socket.dispose();
stream.dispose();
client.stop();
console.log(JSON.stringify(persisted ? { results, requests } : results));
