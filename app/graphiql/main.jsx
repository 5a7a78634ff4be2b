// GraphiQL with everything it needs from this server: no other host is ever asked.
import 'graphiql/style.css';
import { GraphiQL } from 'graphiql';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';

const page = JSON.parse(document.getElementById('page').textContent);
const endpoint = new URL(location.pathname, location.href);

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(page.workers[label] ?? page.workers.editor),
};

let headers = {};
const socket = createClient({
  url: endpoint.href.replace(/^http/, 'ws'),
  connectionParams: () => headers, // the headers tab signs in queries and subscriptions alike
});
const send = createGraphiQLFetcher({ url: endpoint.href, wsClient: socket, enableIncrementalDelivery: false });

// The id of the last simulation started here stands in for an empty `simulationId`: run one tab, then the other.
const lastSimulation = {
  get id() {
    return sessionStorage.getItem('windtunnel:simulation');
  },
  learn(result) {
    const id = result?.data?.simulate?.simulation?.id;
    if (id) sessionStorage.setItem('windtunnel:simulation', id);
  },
};

function parsed(query) {
  try {
    return parse(query);
  } catch {
    return undefined; // the server says what is wrong with it
  }
}

async function fetcher({ query, variables, operationName }, options) {
  headers = options?.headers ?? {};
  if (variables?.simulationId === '' && lastSimulation.id) {
    variables = { ...variables, simulationId: lastSimulation.id };
  }
  // For a moment after a change of tabs, GraphiQL still speaks of the other tab's document and operation.
  const documentAST = parsed(query);
  const names = (documentAST?.definitions ?? [])
    .filter(({ kind }) => kind === 'OperationDefinition')
    .map(({ name }) => name?.value);
  if (!names.includes(operationName)) operationName = names.length === 1 ? names[0] : undefined;
  const result = await send({ query, variables, operationName }, { ...options, documentAST });
  lastSimulation.learn(result);
  return Symbol.asyncIterator in Object(result) ? withoutStacks(result) : result;
}

// GraphiQL shows the stack of an error beside its message: of use to nobody who reads about their token.
async function* withoutStacks(results) {
  try {
    yield* results;
  } catch (error) {
    if (error instanceof Error) error.stack = undefined;
    throw error;
  }
}

const shared = new URLSearchParams(location.search);
createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={fetcher}
    schemaDescription
    defaultTabs={shared.has('query') ? undefined : page.tabs}
    initialQuery={shared.get('query') ?? undefined}
    initialVariables={shared.get('variables') ?? undefined}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>
      <a className="windtunnel-logo" href={endpoint.pathname}>Windtunnel</a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
