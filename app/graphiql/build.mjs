// Bundles GraphiQL: node build.mjs OUTPUT_DIRECTORY
// Writes hashed, gzipped assets, manifest.json (what the page asks for) and THIRD_PARTY_LICENSES.txt.
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const output = path.resolve(process.argv[2] ?? 'dist');
const modules = path.resolve('node_modules');

const common = {
  assetNames: '[name]-[hash]',
  bundle: true,
  chunkNames: '[name]-[hash]',
  define: { 'process.env.NODE_ENV': '"production"' },
  entryNames: '[name]-[hash]',
  legalComments: 'external',
  loader: { '.ttf': 'file', '.woff': 'file', '.woff2': 'file' },
  logLevel: 'warning',
  metafile: true,
  minify: true,
  outdir: output,
  target: ['es2022'],
};

fs.rmSync(output, { recursive: true, force: true });
const page = await build({
  ...common,
  entryPoints: { graphiql: 'main.jsx', page: 'page.css' },
  format: 'esm',
  jsx: 'automatic',
  splitting: true,
});
const workers = await build({
  ...common,
  entryPoints: {
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  },
  format: 'iife',
});

const outputs = { ...page.metafile.outputs, ...workers.metafile.outputs };
const fileOf = (entry) => Object.keys(outputs).find((file) => outputs[file].entryPoint?.endsWith(entry));
const manifest = {
  script: fileOf('main.jsx'),
  styles: [fileOf('page.css'), outputs[fileOf('main.jsx')].cssBundle],
  workers: {
    editor: fileOf('editor/editor.worker.js'),
    graphql: fileOf('esm/graphql.worker.js'),
    json: fileOf('json/json.worker.js'),
  },
};
const nameOnly = (_, value) => (typeof value === 'string' ? path.basename(value) : value);
fs.writeFileSync(path.join(output, 'manifest.json'), JSON.stringify(manifest, nameOnly, 1));

fs.writeFileSync(path.join(output, 'THIRD_PARTY_LICENSES.txt'), licences([page.metafile, workers.metafile]));
for (const file of fs.readdirSync(output)) {
  if (!/\.(js|css)$/.test(file)) continue;
  const from = path.join(output, file);
  fs.writeFileSync(`${from}.gz`, gzipSync(fs.readFileSync(from), { level: 9 }));
  fs.rmSync(from);
}

// Every package with a file in the bundle, with the licence text that it ships (or the name of its licence).
function licences(metafiles) {
  const roots = new Set();
  for (const input of metafiles.flatMap((metafile) => Object.keys(metafile.inputs))) {
    const file = path.resolve(input);
    if (!file.startsWith(modules)) continue;
    const parts = file.split(path.sep);
    const last = parts.lastIndexOf('node_modules');
    const depth = parts[last + 1].startsWith('@') ? 3 : 2;
    roots.add(parts.slice(0, last + depth).join(path.sep));
  }
  return [...roots].sort().map(licence).join(`\n${'-'.repeat(80)}\n\n`);
}

function licence(root) {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const texts = fs
    .readdirSync(root)
    .filter((file) => /^(licen[cs]e|notice|copying|thirdpartynotices)/i.test(file))
    .map((file) => fs.readFileSync(path.join(root, file), 'utf8').trim());
  return [`${name} ${version} (${license})`, ...texts, ''].join('\n\n');
}
