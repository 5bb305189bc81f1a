// Writes contrib/completion and contrib/man from the declarations of the commands; `npm run contrib` builds first.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { URL } from 'node:url'
import { contribFiles } from '../build/cli/contrib.js'

const root = new URL('../', import.meta.url)

function read(path) {
  return readFileSync(new URL(path, root), 'utf8')
}

rmSync(new URL('contrib/man/', root), { recursive: true, force: true })
for (const [path, text] of contribFiles(read)) {
  const file = new URL(path, root)
  mkdirSync(dirname(file.pathname), { recursive: true })
  writeFileSync(file, text)
}
