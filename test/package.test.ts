/** What `npm pack` puts into the package. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectOk, run } from './support/run.ts'

const root = new URL('../', import.meta.url).pathname

interface Package {
  bin: Record<string, string>
  files: string[]
  man: string[]
  scripts: Record<string, string>
}

test('a clone that was not built is built before it is packed', () => {
  const clone = mkdtempSync(join(tmpdir(), 'oci-unpack-pack-'))
  try {
    const own = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Package
    // stands for the real one, which takes half a minute
    const build = 'mkdir -p dist && touch dist/main.js dist/index.js'
    const scripts = { ...own.scripts, build }
    writeFileSync(`${clone}/package.json`, JSON.stringify({ ...own, scripts }))
    for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'hooks', 'schemas', 'contrib'])
      cpSync(`${root}${name}`, `${clone}/${name}`, { recursive: true })
    const packed = expectOk(
      run(
        'npm',
        'pack',
        '--offline',
        '--json',
        '--prefix',
        clone,
        '--pack-destination',
        clone,
        clone
      ),
      'npm pack'
    )
    const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string; mode: number }[] }]
    const paths = files.map(({ path }) => path)
    const wanted = [...Object.values(own.bin), ...own.man.map((page) => page.slice('./'.length))]
    expect(paths).toEqual(expect.arrayContaining([...wanted, 'hooks/overlay/overlay', 'LICENSE']))
  } finally {
    rmSync(clone, { recursive: true })
  }
})
