// graphql-sse, a connection for each operation: runs {url, operations}; prints the list of results of each.
import { createClient } from 'graphql-sse';

const { url, operations, headers } = JSON.parse(process.argv[2]);
const client = createClient({ url, headers, retryAttempts: 0 });

const results = [];
for (const { query, variables } of operations) {
  const seen = [];
  try {
    for await (const result of client.iterate({ query, variables })) seen.push(result);
  } catch (error) {
    seen.push({ status: error.response?.status, reason: String(error) });
  }
  results.push(seen);
}
client.dispose();
console.log(JSON.stringify(results));
