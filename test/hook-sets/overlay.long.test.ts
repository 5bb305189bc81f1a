import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import {
  makeWithin,
  mountNew,
  requirementsOf,
  type FileSystem,
  type Mounted
} from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { changeTree, environmentOf, layer, SetDriver, uncovered } from './set-driver.ts'
import { base, storeCases } from './store-cases.ts'

const TYPES: FileSystem[] = ['ext4', 'tmpfs']
const usable = TYPES.filter((type) =>
  needs('setfattr', 'setcap', 'setfacl', ...requirementsOf(type))
)

describe.each(usable)('the overlay set on %s', (type) => {
  let disk: Mounted
  const bundles: SetDriver[] = []

  beforeAll(() => {
    disk = mountNew(type)
  })
  afterEach(() => {
    for (const bundle of bundles.splice(0)) bundle.call('delete')
  })
  afterAll(() => disk.release())

  /** A store, and as many bundles on it as asked for. */
  function setUp(count = 1, home = makeWithin(disk)): SetDriver[] {
    const made = Array.from(
      { length: count },
      (_none, index) => new SetDriver('overlay', join(home, 'store'), join(home, `bundle${index}`))
    )
    bundles.push(...made)
    return made
  }

  const second = layer('second', (target) => {
    whiteout(join(target, 'written-3'))
    writeFileSync(join(target, 'added'), 'added')
    ok('touch', '-d', '2019-01-01 01:01:01.5', target)
  })

  storeCases({
    twoBundles: () => setUp(2) as [SetDriver, SetDriver],
    committed: 'layers',
    second
  })

  test('a whiteout hides a file, and a write reaches no other bundle', () => {
    const [one, other] = setUp(2)
    one!.unpack([base, second])
    other!.unpack([base, second])
    expect(existsSync(join(one!.rootfs, 'written-3'))).toBe(false)
    writeFileSync(join(one!.rootfs, 'added'), 'changed')
    expect(ok('cat', join(other!.rootfs, 'added')).stdout).toBe('added')
  })

  test('the merged root and all below has the metadata of the layers', () => {
    const [bundle] = setUp()
    const { targets } = bundle!.unpack([base])
    expect(compareTrees(targets[0]!, bundle!.rootfs)).toEqual([])
  })

  test('the root shows attributes that the image has, and keeps none of the layer directory', () => {
    const [bundle] = setUp()
    const marked = layer('marked', (target) => {
      ok('setfattr', '-n', 'trusted.overlay.opaque', '-v', 'y', target)
      ok('setfattr', '-n', 'trusted.overlay.overlay.image', '-v', 'own', target)
    })
    bundle!.unpack([base, marked])
    const shown = ok('getfattr', '-n', 'trusted.overlay.image', '--only-values', bundle!.rootfs)
    expect(shown.stdout).toBe('own')
    expect(bundle!.deltaList()).toEqual(['.'])
  })

  test('an image without layers is an empty directory', () => {
    const [bundle] = setUp()
    bundle!.unpack([])
    expect(readdirSync(bundle!.rootfs)).toEqual([])
    expect(lstatSync(bundle!.rootfs).mode & 0o777).toBe(0o755)
  })

  test.runIf(type === 'ext4')('120 layers are mounted from a store with a long path', () => {
    const home = join(makeWithin(disk), ...Array.from({ length: 4 }, () => 'long-name-'.repeat(20)))
    mkdirSync(home, { recursive: true })
    const [bundle] = setUp(1, home)
    const layers = Array.from({ length: 120 }, (_none, index) =>
      layer(`many ${index}`, (target) => {
        writeFileSync(join(target, `file ${index}`), '')
        writeFileSync(join(target, 'each'), String(index))
      })
    )
    bundle!.unpack(layers)
    expect(readdirSync(bundle!.rootfs)).toHaveLength(121)
    expect(ok('cat', join(bundle!.rootfs, 'each')).stdout).toBe('119')
  })

  test('the delta list covers every change, and nothing that was left alone', () => {
    const [bundle] = setUp()
    bundle!.unpack([base])
    const before = join(makeWithin(disk), 'before')
    ok('cp', '-a', '-T', bundle!.rootfs, before)
    changeTree(bundle!.rootfs)
    const list = bundle!.deltaList()
    // a changed file loses its links to those below: their content and names in the image stay what they are
    expect(uncovered(list, before, bundle!.rootfs, ['*:links,nlink'])).toEqual([])
    expect(list.filter((path) => path.startsWith('untouched'))).toEqual([])
    expect(list).toContain('opaque/')
    expect(list.filter((path) => path.startsWith('dir/sub/'))).toEqual(['dir/sub/'])
  })

  test('a bundle that is not mounted has no delta list, until it is mounted again', () => {
    const [bundle] = setUp()
    bundle!.unpack([base])
    changeTree(bundle!.rootfs)
    const before = bundle!.deltaList()
    ok('umount', bundle!.rootfs)
    const refused = bundle!.call('delta-list')
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('is not mounted')
    bundle!.must('mount')
    expect(bundle!.deltaList()).toEqual(before)
  })

  test.each(['bundle', 'b u\nn\td\\134le'])(
    'what is mounted in the rootfs of %j is not deleted with it, nor does anybody wait for it',
    (name) => {
      const home = makeWithin(disk)
      const bundle = new SetDriver('overlay', join(home, 'store'), join(home, name))
      bundles.push(bundle)
      bundle.unpack([base])
      const point = join(bundle.rootfs, 'mo unt')
      mkdirSync(point)
      ok('mount', '-t', 'tmpfs', 'mine', point)
      writeFileSync(join(point, 'precious'), '')
      try {
        const refused = bundle.call('delete')
        expect([refused.status, refused.stderr]).toEqual([
          1,
          `Something is mounted in ${bundle.rootfs}\n`
        ])
        expect(existsSync(join(point, 'precious'))).toBe(true)
      } finally {
        ok('umount', point)
      }
      bundle.must('delete')
      expect(existsSync(bundle.rootfs)).toBe(false)
    }
  )

  test('files below the mount are seen before anything is deleted', () => {
    const [bundle] = setUp()
    bundle!.unpack([base])
    ok('umount', bundle!.rootfs)
    writeFileSync(join(bundle!.rootfs, 'precious'), '')
    expect(bundle!.call('delete').status).toBe(1)
    bundle!.must('mount')
    ok('umount', bundle!.rootfs)
    rmSync(join(bundle!.rootfs, 'precious'))
    bundle!.must('delete')
    expect(existsSync(bundle!.rootfs)).toBe(false)
  })

  test('more layers than overlayfs joins are refused before anything is extracted', () => {
    const [bundle] = setUp()
    const prepare = (count: string) => bundle!.call('prepare', { OCI_UNPACK_LAYER_COUNT: count })
    expect(prepare('501')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('501 layers, but overlayfs joins at most 500') as string
    })
    expect(existsSync(bundle!.store)).toBe(false)
    expect(prepare('500').status).toBe(0)
  })

  test('a trial that was killed goes with abort, or with the next unpack', () => {
    const [bundle] = setUp()
    const staged = join(bundle!.store, 'staged')
    const deadly = makeWithin(disk)
    writeFileSync(join(deadly, 'unshare'), '#!/bin/sh\nkill -KILL $PPID\n', { mode: 0o755 })
    const env = { PATH: `${deadly}:${process.env.PATH}` }
    expect(bundle!.call('prepare', env).status).toBe(null)
    expect(readdirSync(staged)).toHaveLength(1)
    bundle!.must('abort')
    expect(readdirSync(staged)).toEqual([])
    expect(bundle!.callAsDead('prepare', env).status).toBe(null)
    expect(readdirSync(staged)).toHaveLength(1)
    bundle!.must('prepare')
    expect(readdirSync(staged)).toEqual([])
  })

  test('a deleted bundle leaves the layers and nothing else, however often it is deleted', () => {
    const [bundle] = setUp()
    bundle!.unpack([base])
    changeTree(bundle!.rootfs)
    bundle!.must('delete')
    bundle!.must('delete')
    expect(readdirSync(bundle!.bundle)).toEqual(['.oci-unpack'])
    expect(readdirSync(bundle!.state)).toEqual([])
    expect(readdirSync(join(bundle!.store, 'bundles'))).toEqual([])
    expect(bundle!.call('try-skip', environmentOf([base], 0)).status).toBe(0)
    rmSync(bundle!.state, { recursive: true })
    bundle!.must('delete')
  })

  test('a bundle in which somebody works is busy, not pulled away', () => {
    const [bundle] = setUp()
    bundle!.unpack([base])
    writeFileSync(join(bundle!.rootfs, 'mine'), '')
    const inside = `cd "$1" && shift && "$@"; test $? = 75 && test -e mine`
    const [program, ...args] = deleteCommand(bundle!)
    ok('sh', '-c', inside, 'sh', bundle!.rootfs, program!, ...args)
  })

  function whiteout(path: string): void {
    ok('mknod', path, 'c', '0', '0')
  }
})

test('a store where no overlay can be mounted is refused before anything is unpacked', () => {
  if (!needs('root')) return
  const disk = mountNew('tmpfs')
  const bundle = new SetDriver(
    'overlay',
    join(disk.path, 'bundle/rootfs/store'),
    join(disk.path, 'b')
  )
  const outer = new SetDriver('overlay', join(disk.path, 'store'), join(disk.path, 'bundle'))
  try {
    outer.unpack([])
    const prepared = bundle.call('prepare')
    expect(prepared.status).toBe(1)
    expect(prepared.stderr).toContain('fit for an upper directory')
  } finally {
    outer.call('delete')
    disk.release()
  }
})

function deleteCommand(bundle: SetDriver): string[] {
  const { store, rootfs, state } = bundle
  const program = new URL('../../hooks/overlay/overlay', import.meta.url).pathname
  const env = [`STORE=${store}`, `OCI_UNPACK_ROOTFS=${rootfs}`, `OCI_UNPACK_STATE=${state}`]
  return ['env', ...env, program, 'delete']
}
