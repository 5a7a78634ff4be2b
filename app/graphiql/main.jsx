// GraphiQL with everything it needs from this server: no other host is ever asked.
import 'graphiql/style.css';
import { GraphiQL } from 'graphiql';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
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
const send = createGraphiQLFetcher({ url: endpoint.href, wsClient: socket });

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

async function fetcher(request, options) {
  headers = options?.headers ?? {};
  const variables = request.variables;
  if (variables?.simulationId === '' && lastSimulation.id) {
    request = { ...request, variables: { ...variables, simulationId: lastSimulation.id } };
  }
  const result = await send(request, options);
  lastSimulation.learn(result);
  return result;
}

const shared = new URLSearchParams(location.search);
createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={page.tabs}
    initialQuery={shared.get('query') ?? undefined}
    initialVariables={shared.get('variables') ?? undefined}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>
      <a className="windtunnel-logo" href={endpoint.pathname}>Windtunnel</a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
