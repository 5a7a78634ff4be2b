// Apollo Client: queries and mutations over HTTP, subscriptions over graphql-ws.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const { url, operations } = JSON.parse(process.argv[2]);
const socket = createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: url }),
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
client.stop();
console.log(JSON.stringify(results));
