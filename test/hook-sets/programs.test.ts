/** What holds of the text of every set: it is read as an example, and runs in any POSIX shell. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'

const hooks = new URL('../../hooks/', import.meta.url).pathname

describe.each(readdirSync(hooks))('the %s set', (name) => {
  const program = join(hooks, name, name)
  const settings = readFileSync(join(hooks, name, 'hooks.toml'), 'utf8')
  const home = name === 'pool' ? 'POOL' : 'STORE'

  test.runIf(needs('dash'))('is understood by dash', () => {
    ok('dash', '-n', program)
  })

  test.runIf(needs('shellcheck'))('has no complaint of shellcheck', () => {
    expect(ok('shellcheck', '--shell=sh', program).stdout).toBe('')
  })

  test('calls its program for a point by the last word of the point', () => {
    const commands = [...settings.matchAll(/^\[([\w.-]+)\]\ncommand = \["(.*?)", "(.*?)"\]$/gm)]
    expect(commands.length).toBeGreaterThan(5)
    for (const [, point, command, verb] of commands) {
      expect(command).toBe(`./${name}`)
      expect(verb).toBe(point!.split('.').at(-1))
      expect(readFileSync(program, 'utf8')).toMatch(new RegExp(`^ {2}(.* )?${verb!}( .*)?\\)`, 'm'))
    }
  })

  // a shell that cannot read the program at all says yes to post-extract, and has done nothing
  test.runIf(needs('dash'))('shows no layer that was never committed', () => {
    withTemporary((store) => {
      for (const name of ['bundles', 'states', 'bundle', 'bundle/state'])
        mkdirSync(join(store, name))
      const env = {
        ...process.env,
        [home]: store,
        OCI_UNPACK_BUNDLE: join(store, 'bundle'),
        OCI_UNPACK_ROOTFS: join(store, 'bundle/rootfs'),
        OCI_UNPACK_STATE: join(store, 'bundle/state'),
        OCI_UNPACK_LAYER_TARGETS: join(store, 'staged/1.abc')
      }
      const { status, stderr } = spawnSync('dash', [program, 'finish'], { env, encoding: 'utf8' })
      expect([status, stderr]).toEqual([1, `${store}/staged/1.abc was never committed\n`])
    })
  })

  test.runIf(needs('dash'))('has one line for whoever calls it by hand', () => {
    for (const words of [[], ['no-such-word'], ['']]) {
      const { status, stdout, stderr } = spawnSync('dash', [program, ...words], {
        env: { ...process.env, [home]: '/nowhere' },
        encoding: 'utf8'
      })
      expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining('see hooks.toml.')])
    }
  })

  test('says where it keeps things', () => {
    expect(settings).toContain(`${home} = "/var/lib/oci-unpack/${name}"`)
    expect(readFileSync(join(hooks, name, 'README.md'), 'utf8')).toContain(
      `/var/lib/oci-unpack/${name}`
    )
  })
})

const HEX = '0123456789abcdef'.repeat(4)

describe.runIf(needs('dash', 'flock')).each([
  { name: 'overlay', random: 'aB3def' },
  { name: 'squashfs', random: 'aB3def' },
  { name: 'erofs', random: 'aB3defghij' }
])('the $name set', ({ name, random }) => {
  const own = [
    `layers/${HEX}`,
    `staged/owner-dead.${random}`,
    ...(name === 'overlay' ? [`staged/owner-dead.gc.${HEX}`] : []),
    ...(name === 'squashfs' ? [`staged/owner-dead.${random}.image`] : []),
    ...(name === 'erofs' ? [`merged/${HEX}`, `merged/.${HEX}.oci-unpack-0123456789ab`] : [])
  ]
  const needed = `layers/${HEX}${HEX}`
  const foreign = [
    ...['photos', HEX.slice(1), HEX.toUpperCase(), `.${HEX}`].flatMap((it) =>
      (name === 'erofs' ? ['layers', 'merged'] : ['layers']).map((place) => `${place}/${it}`)
    ),
    ...['photos', `photos.${random}`, 'owner-dead', `owner-x.${random}`, `owner-dead.${random}x`],
    ...[`owner-dead.gc.photos`, `owner-dead.${random}.photo`]
  ].map((path) => (path.includes('/') ? path : `staged/${path}`))

  test('removes nothing in its store that has not a name of its own form', () => {
    withTemporary((store) => {
      mkdirSync(join(store, 'bundles'))
      for (const path of [...own, needed, ...foreign]) {
        mkdirSync(dirname(join(store, path)), { recursive: true })
        if (name === 'overlay') mkdirSync(join(store, path))
        else writeFileSync(join(store, path), '')
      }
      const state = join(store, 'bundles')
      const env = {
        ...process.env,
        STORE: store,
        OCI_UNPACK_OWNER: join(store, 'owner-beef'),
        OCI_UNPACK_ROOTFS: join(store, 'rootfs'),
        OCI_UNPACK_STATE: state,
        OCI_UNPACK_LIVE_KEYS: `sha512:${HEX}${HEX}`,
        OCI_UNPACK_TARGETS: foreign.map((path) => join(store, path)).join('\n')
      }
      const call = (point: string): string =>
        execFileSync('dash', [join(hooks, name, name), point], { env, encoding: 'utf8' })
      call('abort')
      expect(JSON.parse(call('gc'))).toEqual({ removed: [`sha256:${HEX}`] })
      const there = (paths: readonly string[]) => paths.filter((it) => existsSync(join(store, it)))
      expect(there(own)).toEqual([])
      expect(there([needed, ...foreign])).toEqual([needed, ...foreign])
    })
  })
})
