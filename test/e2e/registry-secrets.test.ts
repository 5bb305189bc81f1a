/** Passwords and tokens for a registry are shown nowhere. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  REGISTRY_USER,
  startPasswordRegistry,
  startTokenRegistry,
  type DockerRegistry
} from '../support/docker-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { file, tar } from '../support/tar-builder.ts'
import { ociUnpack, ociUnpackCommand } from './cli.ts'

const { username, password } = REGISTRY_USER
const CREDENTIALS = `${username}:${password}`
const SECRETS = [password, Buffer.from(CREDENTIALS).toString('base64'), 'wrong secret', 'eyJ']

const KINDS: [string, () => Promise<DockerRegistry>][] = [
  ['a password', startPasswordRegistry],
  ['tokens', () => startTokenRegistry()]
]

describe.runIf(needs('docker-registry', 'root')).each(KINDS)(
  'with a registry that wants %s',
  (_, start) => {
    let registry: DockerRegistry
    let work: string
    beforeAll(async () => {
      registry = await start()
      work = makeTemporary()
      const { reference } = buildImage(`${work}/made`, { layers: [tar(file('a', 'one'))] })
      writeFileSync(`${work}/auth.json`, authfile(CREDENTIALS))
      const { status, said } = await run({}, 'copy', ...authfileFlag(), reference, at('x/y:1'))
      expect(said).toBe('')
      expect(status).toBe(0)
    })
    afterAll(async () => {
      await registry.close()
      removeTemporary(work)
    })

    const at = (name: string): string => `docker://${registry.host}/${name}`
    const authfileFlag = (): string[] => ['--dest-authfile', `${work}/auth.json`]
    const authfile = (credentials: string): string =>
      JSON.stringify({
        auths: { [registry.host]: { auth: Buffer.from(credentials).toString('base64') } }
      })

    /** All that a run says, and what is in files that it writes. */
    async function run(
      env: NodeJS.ProcessEnv,
      ...args: string[]
    ): Promise<{ status: number | null; said: string }> {
      const [program, ...first] = ociUnpackCommand
      const child = spawn(program, [...first, ...args], {
        env: { ...process.env, HOME: work, ...env },
        cwd: work
      })
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text: Buffer) => (said += text.toString()))
      const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
      return { status, said }
    }

    test.each([
      ['a flag', ['--creds', CREDENTIALS], {}],
      ['the environment', [], { OCI_UNPACK_CREDS: CREDENTIALS }],
      ['the environment, with the end of a line', [], { OCI_UNPACK_CREDS: `${CREDENTIALS}\n` }],
      ['a file', ['--authfile', 'auth.json'], {}]
    ] as const)('credentials from %s open it, and nothing shows them', async (how, flags, env) => {
      const made = `made-by-${how.replaceAll(' ', '-')}`
      const { status, said } = await run(
        env,
        '--log',
        'debug',
        '--progress',
        'json',
        'unpack',
        '--trace',
        'trace',
        ...flags,
        '--image',
        at('x/y:1'),
        made
      )
      expect(status, said).toBe(0)
      expect(said).toContain('"image"')
      const files = readdirSync(`${work}/${made}`).filter((name) => name !== 'rootfs')
      const written = files.map((name) => readFileSync(`${work}/${made}/${name}`, 'latin1'))
      for (const text of [said, ...written])
        for (const secret of SECRETS) expect(text).not.toContain(secret)
    })

    test.each([
      ['wrong ones', `${username}:wrong secret`],
      ['none', undefined]
    ])('%s are refused, with a hint and without what they are', async (_, creds) => {
      const flags = creds === undefined ? [] : ['--creds', creds]
      const { status, said } = await run({}, 'unpack', '--image', at('x/y:1'), ...flags, 'none')
      expect(status).toBe(1)
      expect(said).toMatch(/REGISTRY_DENIED/)
      expect(said).toContain(registry.host)
      for (const secret of SECRETS) expect(said).not.toContain(secret)
    })
  }
)

test.each([
  ['stat', '--image'],
  ['unpack', 'none', '--image'],
  ['list', '--layout'],
  ['verify', '--image'],
  ['copy', 'oci:none:1'],
  ['repack', 'none', '--image']
])('a password in a name is refused and not shown by %s', (...command) => {
  const { status, stderr } = ociUnpack(...command, `docker://alice:hush@hush@127.0.0.1:1/x/y:1`)
  expect(status).not.toBe(0)
  expect(stderr).not.toContain('hush')
})
