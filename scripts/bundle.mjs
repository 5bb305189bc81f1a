// What is published: every entry of the program and the library in one directory, with the modules that entries share
// in common files beside them. Loading many small modules costs Node more than running them
// (docs/decisions/2026-11-21-bundled-modules.md).
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { URL, fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
const dist = join(root, 'dist')

/** Threads and child processes are started by these names, relative to whoever starts them: all lie in one directory. */
const entryPoints = {
  main: 'src/cli/main.ts',
  index: 'src/index.ts',
  layout: 'src/layout.ts',
  thread: 'src/worker/thread.ts',
  'registry-thread': 'src/registry/registry-thread.ts',
  child: 'src/conformance/child.ts'
}

for (const name of readdirSync(dist)) if (name.endsWith('.js')) rmSync(join(dist, name))
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints,
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['koffi'],
  // CommonJS packages ask for Node's own modules by require().
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
  },
  metafile: true,
  logLevel: 'warning'
})
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), licenses(Object.keys(metafile.inputs)))

/** The licence of every package of which a part is in the output, as each of them asks for. */
function licenses(inputs) {
  const packages = inputs.flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []
  )
  return [...new Set(packages)].sort().map(license).join('\n')
}

function license(directory) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(root, directory, 'package.json'), 'utf8')
  )
  const file = readdirSync(join(root, directory)).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? '' : readFileSync(join(root, directory, file), 'utf8')
  return `${name} ${version} (${license})\n\n${text}\n`
}
