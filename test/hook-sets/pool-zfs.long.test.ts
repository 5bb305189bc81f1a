/** The pool set on zfs, as far as a model of zfs(8) can tell: see programs/zfs-model.mjs. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  leftBehind,
  LONG_CASE,
  NO_MOUNT,
  notPassed,
  shippedSet,
  testIn
} from '../conformance/kit.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { longTests, needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { environmentOf, layer, SetDriver } from './set-driver.ts'
import { base, deletedAgainAndAgain, mountedCases, storeCases } from './store-cases.ts'
import { makeZfs, type Zfs } from './zfs.ts'

/** What differs from the other back ends; a model that starts a process for each command is slow. */
const KIT = [
  'cold unpack',
  'warm unpack',
  'failing post-extract',
  'two at once',
  NO_MOUNT,
  'renamed parent',
  'gc'
]

const usable = needs('mounts', 'flock', 'setfattr', 'setcap', 'setfacl', ...requirementsOf('xfs'))

describe.runIf(usable)('the pool set with clones', () => {
  let disk: Mounted

  beforeAll(() => {
    disk = mountNew('xfs')
  })
  afterAll(() => disk.release())

  interface Place {
    home: string
    zfs: Zfs
  }

  function newPlace(): Place {
    const home = makeWithin(disk)
    return { home, zfs: makeZfs(home, 'tank/pool of ours', join(home, 'store')) }
  }

  function newBundle({ home, zfs }: Place, name = 'one'): SetDriver {
    const env = { BACKEND: 'zfs', PATH: zfs.path }
    return new SetDriver('pool', join(home, 'store'), join(home, 'bundles', name), env)
  }

  const second = layer('second', (target) => {
    writeFileSync(join(target, 'added'), '')
    rmSync(join(target, 'written-3'))
  })

  const third = layer('third', (target) => writeFileSync(join(target, 'more'), ''))

  storeCases({
    twoBundles: () => {
      const place = newPlace()
      return [newBundle(place, 'one'), newBundle(place, 'other')]
    },
    committed: 'images',
    second
  })

  mountedCases(() => {
    const place = newPlace()
    return {
      bundle: (name) => newBundle(place, name),
      instances: () => instances(place).length
    }
  })

  const instances = ({ zfs }: Place): string[] =>
    zfs.names().filter((name) => /\/instances\/./.test(name))

  test('the rootfs is a clone of the last layer, and images cannot be written to', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    const { targets } = bundle.unpack([base, second])
    expect(compareTrees(targets[1]!, bundle.rootfs)).toEqual([])
    writeFileSync(join(bundle.rootfs, 'added'), 'changed')
    expect(readFileSync(join(targets[1]!, 'added'), 'utf8')).toBe('')
    expect(existsSync(join(targets[0]!, 'written-3'))).toBe(true)
    expect(() => writeFileSync(join(targets[1]!, 'added'), 'changed')).toThrow('EROFS')
    expect(place.zfs.get('origin', instances(place)[0]!)).toBe(
      `tank/pool of ours/images/${basename(targets[1]!)}@image`
    )
  })

  test('the first bundle may be in the pool, and what it began with stays in sight', () => {
    const { home, zfs } = newPlace()
    const env = { BACKEND: 'zfs', PATH: zfs.path }
    const [store, bundle] = [join(home, 'store'), join(home, 'store/instances/one')]
    const driver = new SetDriver('pool', store, bundle, env)
    writeFileSync(join(driver.state, 'unfinished'), '')
    driver.unpack([base])
    expect(readdirSync(driver.state).sort()).toEqual(['images', 'instance', 'unfinished'])
    expect(existsSync(join(driver.rootfs, 'written-3'))).toBe(true)
  })

  test('passes the kit, which leaves nothing behind', async () => {
    const { home, zfs } = newPlace()
    const hooks = shippedSet('pool', home, { BACKEND: 'zfs', PATH: zfs.path })
    const cases = longTests() ? [...KIT, LONG_CASE] : KIT
    const report = await testIn(home, hooks, { cases })
    expect(notPassed(report)).toEqual([])
    expect(leftBehind(home)).toEqual([])
    expect(zfs.names().filter((name) => /\/(?:staged|instances)\/./.test(name))).toEqual([])
  })

  test('a directory of a dataset is not a pool, nor is a path beside it', () => {
    const { home, zfs } = newPlace()
    mkdirSync(join(home, 'store/inside'))
    mkdirSync(join(home, 'store2'))
    const env = { BACKEND: 'zfs', PATH: zfs.path }
    const prepare = (pool: string): Run =>
      new SetDriver('pool', join(home, pool), join(home, 'bundles/one'), env).call('prepare')
    expect(prepare('store/inside')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('a directory in tank/pool of ours') as unknown
    })
    expect(prepare('store2').status).toBe(1)
    expect(zfs.names()).toEqual(['tank', 'tank/pool of ours'])
  })

  test('a deleted bundle leaves the images and nothing else, however often it is deleted', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    bundle.unpack([base])
    const [instance] = instances(place)
    for (const name of ['outer', 'outer/inner', 'outer/inner/most', 'in side'])
      place.zfs.must('create', `${instance!}/${name}`)
    place.zfs.must('snapshot', `${instance!}/outer@mine`)
    writeFileSync(join(bundle.rootfs, 'outer/inner/most/file'), '')
    deletedAgainAndAgain(bundle)
    expect(instances(place)).toEqual([])
  })

  test('what is mounted in a rootfs is not deleted with it', () => {
    const place = newPlace()
    const bundle = newBundle(place, 'sp ace\\040')
    bundle.unpack([base])
    place.zfs.must('create', `${instances(place)[0]!}/own`)
    const point = join(bundle.rootfs, 'own/there')
    mkdirSync(point)
    ok('mount', '-t', 'tmpfs', 'tmpfs', point)
    try {
      expect(bundle.call('delete')).toMatchObject({
        status: 1,
        stderr: `Something is mounted in ${bundle.rootfs}\n`
      })
      expect(instances(place)).toHaveLength(2)
    } finally {
      ok('umount', point)
    }
    bundle.must('delete')
    expect(existsSync(bundle.rootfs)).toBe(false)
  })

  test('an instance whose name did not reach the disk is found by its mount point', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    bundle.unpack([base])
    writeFileSync(join(bundle.state, 'instance'), '')
    bundle.must('delete')
    expect(instances(place)).toEqual([])
  })

  test('that another process mounts an image at the same moment does no harm', () => {
    const place = newPlace()
    const { targets } = newBundle(place).unpack([base])
    place.zfs.must('unmount', `tank/pool of ours/images/${basename(targets[0]!)}`)
    const path = join(place.home, 'faster')
    mkdirSync(path)
    const script = `#!/bin/sh\nPATH=\${PATH#*:}\n[ "$1" != mount ] || zfs "$@"\nexec zfs "$@"\n`
    writeFileSync(join(path, 'zfs'), script, { mode: 0o700 })
    const other = newBundle(place, 'other')
    const env = { ...environmentOf([base], 0), PATH: `${path}:${place.zfs.path}` }
    expect(other.must('try-skip', env)).toBe(targets[0])
    expect(readdirSync(targets[0]!)).not.toEqual([])
  })

  test('a bundle is unmounted and mounted, where it is by then', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    bundle.unpack([base])
    writeFileSync(join(bundle.rootfs, 'mine'), '')
    for (const verb of ['umount', 'umount']) bundle.must(verb)
    expect(existsSync(join(bundle.rootfs, 'mine'))).toBe(false)
    renameSync(join(place.home, 'bundles'), join(place.home, 'renamed'))
    const env = { BACKEND: 'zfs', PATH: place.zfs.path }
    const there = new SetDriver('pool', bundle.store, join(place.home, 'renamed/one'), env)
    for (const verb of ['mount', 'mount']) there.must(verb)
    expect(existsSync(join(there.rootfs, 'mine'))).toBe(true)
    there.must('delete')
  })

  test('a bundle that is in use is busy', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    bundle.unpack([base])
    const script = 'cd "$1"; shift; exec env "$@"'
    const env = [`POOL=${bundle.store}`, 'BACKEND=zfs', `PATH=${place.zfs.path}`]
    const state = [`OCI_UNPACK_STATE=${bundle.state}`, `OCI_UNPACK_ROOTFS=${bundle.rootfs}`]
    const program = new URL('../../hooks/pool/pool', import.meta.url).pathname
    const inside = run('sh', '-c', script, 'sh', bundle.rootfs, ...env, ...state, program, 'umount')
    expect(inside.status).toBe(75)
    expect(readdirSync(bundle.rootfs)).not.toEqual([])
    bundle.must('umount')
  })

  test('after a reboot, images that are not mounted are found', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    const { targets } = bundle.unpack([base])
    place.zfs.must('unmount', `tank/pool of ours/images/${basename(targets[0]!)}`)
    expect(readdirSync(targets[0]!)).toEqual([])
    expect(newBundle(place, 'two').unpack([base]).extracted).toEqual([])
    expect(readdirSync(targets[0]!)).not.toEqual([])
  })

  test('images on which something depends stay, whoever collects', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    const { targets } = bundle.unpack([base, second, third])
    expect(bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: '' })).toBe('{"removed": []}')
    // the bundle is not in POOL/instances, so sweep does not know it
    const lines = targets.map((target) => `image images/${basename(target)}`).sort()
    expect(bundle.run('sweep', '--remove').sort()).toEqual(lines)
    expect(readdirSync(join(place.home, 'store/images'))).toHaveLength(3)
    bundle.must('delete')
    expect(bundle.run('sweep', '--remove').sort()).toEqual(lines)
    expect(readdirSync(join(place.home, 'store/images'))).toEqual([])
  })
})
