/** What holds of the text of every set: it is read as an example, and runs in any POSIX shell. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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
      expect(readFileSync(program, 'utf8')).toMatch(new RegExp(`^ {2}(${verb!}|\\*)\\)`, 'm'))
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

  test('says where it keeps things', () => {
    expect(settings).toContain(`${home} = "/var/lib/oci-unpack/${name}"`)
    expect(readFileSync(join(hooks, name, 'README.md'), 'utf8')).toContain(
      `/var/lib/oci-unpack/${name}`
    )
  })
})
