/** What the pool set takes for its own, what it refuses before it has made anything, and what it leaves alone. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { snapshot } from '../reference/snapshot.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { environmentOf, layer, SetDriver } from './set-driver.ts'

const HEX = '0123456789abcdef'.repeat(4)
const base = layer('base', (target) => writeFileSync(join(target, 'file'), ''))

describe.runIf(needs('flock', ...requirementsOf('tmpfs')))('the pool set', () => {
  let disk: Mounted

  beforeAll(() => {
    disk = mountNew('tmpfs')
  })
  afterAll(() => disk.release())

  function newBundle(home = makeWithin(disk), env: Record<string, string> = {}): SetDriver {
    return new SetDriver('pool', join(home, 'pool'), join(home, 'bundle'), env)
  }

  function make(home: string, paths: readonly string[]): void {
    for (const path of paths) {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      if (path.endsWith('/')) mkdirSync(join(home, path))
      else writeFileSync(join(home, path), path.endsWith('lock') ? '' : 'theirs')
    }
  }

  test.each([
    ['photo', 'photo'],
    ['images/photos/', 'images'],
    [`images/${HEX}/`, 'images'],
    ['staged/photos/', 'staged'],
    ['staged/owner-dead.abcdef/', 'staged'],
    ['unpacking/me', 'unpacking'],
    ['rootless/staged/photos/', 'rootless'],
    ['rootless/photo', 'rootless'],
    ['lock/', 'lock'],
    ['backend/', 'backend']
  ])('takes no directory with %s for a new pool', (path, named) => {
    const bundle = newBundle()
    make(bundle.store, [path])
    const before = snapshot(bundle.store)
    for (const point of ['check', 'prepare']) {
      const { status, stderr } = bundle.call(point)
      expect([status, stderr]).toEqual([
        1,
        `${bundle.store} is not a pool, and it is not empty: ${named} is in it. ` +
          'Let POOL be an empty directory, or one that does not exist.\n'
      ])
    }
    for (const point of ['abort', 'gc', 'sweep'])
      bundle.must(point, { OCI_UNPACK_LIVE_KEYS: '', OCI_UNPACK_TARGETS: '' })
    expect(snapshot(bundle.store)).toBe(before)
  })

  test('takes a directory that is empty, or has just been formatted', () => {
    for (const paths of [[], ['lost+found/', 'cache/oci-unpack/']]) {
      const bundle = newBundle()
      mkdirSync(bundle.store)
      make(bundle.store, paths)
      expect(bundle.unpack([base]).extracted).toEqual([base.key])
    }
  })

  test('goes on with a pool that a killed process had begun', () => {
    const bundle = newBundle()
    make(bundle.store, ['lock', 'images/', 'staged/', 'rootless/images/', 'rootless/staged/'])
    make(bundle.store, ['unpacking/owner-dead', 'unpacking/owner-dead.backend', 'instances/one/'])
    expect(bundle.unpack([base]).extracted).toEqual([base.key])
    expect(readdirSync(join(bundle.store, 'unpacking'))).toEqual([])
  })

  test('removes nothing in its pool that has not a name of its own form', () => {
    const bundle = newBundle()
    bundle.must('prepare')
    const foreign = [
      ...['photos', HEX.toUpperCase(), HEX.slice(1), `${HEX}0`, 'a *'].map((it) => `images/${it}/`),
      ...['photos', 'photos.abcdef', 'owner-dead', 'owner-dead.abcde', 'owner-x.abcdef'].map(
        (name) => `staged/${name}/`
      ),
      ...['owner-dead.ab-def', 'owner-dead.gc.photos', 'dead.abcdef'].map((it) => `staged/${it}/`),
      ...['unpacking/me', 'unpacking/owner-x', 'unpacking/backend']
    ]
    make(bundle.store, foreign)
    const own = [
      `images/${HEX}/`,
      `images/${HEX}${HEX}/`,
      'staged/owner-dead.aB3def/',
      `staged/owner-dead.gc.${HEX}/`,
      `staged/sweep.gc.${HEX}/`,
      'unpacking/owner-dead',
      'unpacking/owner-dead.backend'
    ]
    make(bundle.store, own)
    const listed = (): string[] => bundle.run('sweep').sort()
    expect(listed()).toEqual(own.slice(2, 5).map((path) => `staged ${path.slice(0, -1)}`))
    const targets = foreign.map((path) => join(bundle.store, path.replace(/\/$/, '')))
    writeFileSync(join(bundle.state, 'staged'), `${targets.join('\n')}\n`)
    bundle.must('abort', { OCI_UNPACK_TARGETS: targets.join('\n') })
    bundle.must('prepare')
    bundle.must('abort')
    expect(listed()).toEqual(own.slice(0, 2).map((path) => `image ${path.slice(0, -1)}`))
    make(bundle.store, own.slice(2))
    const { removed } = JSON.parse(
      bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: `sha512:${HEX}${HEX}` })
    ) as { removed: string[] }
    expect(removed).toEqual([`sha256:${HEX}`])
    expect(bundle.run('sweep', '--remove')).toEqual([`image images/${HEX}${HEX}`])
    for (const path of own) expect(existsSync(join(bundle.store, path))).toBe(false)
    for (const path of foreign) expect(existsSync(join(bundle.store, path))).toBe(true)
  })

  test.each([
    [{ BACKEND: 'btrfs' }, / is not on btrfs$/],
    [
      { BACKEND: 'zfs', PATH: '/usr/bin:/bin' },
      /^zfs, the program of zfsutils-linux, is not in PATH$/
    ],
    [
      { BACKEND: 'reflink' },
      /^BACKEND is reflink, but files in .* cannot be made to share blocks$/
    ],
    [{ BACKEND: 'btrfz' }, /^BACKEND must be auto, btrfs, zfs, reflink or plain, not "btrfz"$/],
    [{ POOL: 'relative' }, /^POOL must be an absolute path, not "relative"$/],
    [{ POOL: '/' }, /^\/ is not a pool, and it is not empty: /],
    [{ POOL: '/dev/null' }, /^\/dev\/null is not a directory$/]
  ])('refuses %o, and has made nothing that abort must undo', (env, why) => {
    const bundle = newBundle(undefined, env)
    const home = dirname(bundle.bundle)
    for (const point of ['check', 'prepare']) {
      const { status, stderr } = bundle.call(point)
      expect([status, stderr.trimEnd()]).toEqual([1, expect.stringMatching(why)])
    }
    bundle.must('abort', { OCI_UNPACK_TARGETS: '' })
    expect([readdirSync(home), readdirSync(bundle.state)]).toEqual([['bundle'], []])
  })

  test('refuses another back end than that of the pool, and abort has nothing to say to that', () => {
    const home = makeWithin(disk)
    newBundle(home).must('prepare')
    const bundle = newBundle(home, { BACKEND: 'reflink' })
    const why = `${home}/pool was begun with the back end plain, and BACKEND is reflink: use another POOL\n`
    for (const point of ['check', 'prepare'])
      expect(bundle.call(point)).toMatchObject({ status: 1, stderr: why })
    bundle.must('abort', { OCI_UNPACK_TARGETS: '' })
    rmSync(bundle.bundle, { recursive: true })
  })

  test('undoes what was made, whatever BACKEND says by now', () => {
    const home = makeWithin(disk)
    const env = environmentOf([base], 0)
    newBundle(home).must('prepare')
    newBundle(home).must('pre-extract', env)
    newBundle(home, { BACKEND: 'reflink' }).must('abort', { OCI_UNPACK_TARGETS: '' })
    expect(readdirSync(join(home, 'pool/staged'))).toEqual([])
  })
})
