/** Users of the library need no newer TypeScript than README says, even if they check the declarations themselves. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'

const root = new URL('../../', import.meta.url).pathname
const oldest = new URL('node_modules/typescript/', import.meta.url).pathname

const PROGRAM = `
import { OciUnpackError, unpack, type EngineEvent, type UnpackHooks } from 'oci-unpack'
import { listImages } from 'oci-unpack/layout'

const hooks: UnpackHooks = {
  runtimeConfig: ({ runtimeConfig }) => ({ config: { ...runtimeConfig, hostname: 'builder' } })
}
const onEvent = (event: EngineEvent): void => {
  if (event.type === 'layer') console.log(event.layer + 1)
}
const { manifestDigest } = await unpack({ image: 'a:b', destination: 'c', hooks, onEvent })
console.log(manifestDigest.length, typeof listImages, OciUnpackError.name)
`

const CONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node']
  }
}

test.runIf(needs('oldest-typescript'))(
  'the lowest version in README accepts the declarations',
  () => {
    const { version } = JSON.parse(readFileSync(join(oldest, 'package.json'), 'utf8')) as {
      version: string
    }
    const [, stated] = /TypeScript (\d+\.\d+) or newer/.exec(
      readFileSync(`${root}README.md`, 'utf8')
    )!
    expect(version.startsWith(`${stated!}.`)).toBe(true)
    // not in the directory for temporary files: packages are looked for from here upwards
    const work = mkdtempSync(new URL('use-', import.meta.url).pathname)
    try {
      mkdirSync(`${work}/node_modules`)
      mkdirSync(`${work}/node_modules/oci-unpack`)
      for (const name of ['dist', 'package.json'])
        cpSync(`${root}${name}`, `${work}/node_modules/oci-unpack/${name}`, { recursive: true })
      symlinkSync(`${root}node_modules/@types`, `${work}/node_modules/@types`)
      writeFileSync(`${work}/package.json`, '{"type": "module"}')
      writeFileSync(`${work}/use.ts`, PROGRAM)
      writeFileSync(`${work}/tsconfig.json`, JSON.stringify(CONFIG))
      const { status, stdout } = run(process.execPath, `${oldest}bin/tsc`, '-p', work)
      expect([status, stdout]).toEqual([0, ''])
    } finally {
      rmSync(work, { recursive: true })
    }
  }
)
