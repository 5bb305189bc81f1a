import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { changeTree, environmentOf, keyOf, layer, SetDriver, uncovered } from './set-driver.ts'
import { base, deletedAgainAndAgain, storeCases } from './store-cases.ts'

const usable = needs('btrfs', 'setfattr', 'setcap', 'setfacl', ...requirementsOf('btrfs'))

describe.runIf(usable)('the pool set with snapshots', () => {
  let disk: Mounted
  const bundles: SetDriver[] = []

  beforeAll(() => {
    disk = mountNew('btrfs')
  })
  afterEach(() => {
    for (const bundle of bundles.splice(0)) bundle.call('delete')
  })
  afterAll(() => disk.release())

  function newBundle(home = makeWithin(disk), env: Record<string, string> = {}): SetDriver {
    const number = String(bundles.length)
    const options = { SHARE_REPACKED: 'no', ...env }
    const bundle = new SetDriver('pool', join(home, 'store'), join(home, number), options)
    bundles.push(bundle)
    return bundle
  }

  const second = layer('second', (target) => {
    writeFileSync(join(target, 'added'), '')
    rmSync(join(target, 'written-3'))
  })

  storeCases({
    twoBundles: () => {
      const home = makeWithin(disk)
      return [newBundle(home), newBundle(home)]
    },
    committed: 'images',
    second
  })

  test('the rootfs is the state of the last layer, and writes to it stay its own', () => {
    const bundle = newBundle()
    const { targets } = bundle.unpack([base, second])
    expect(compareTrees(targets[1]!, bundle.rootfs)).toEqual([])
    writeFileSync(join(bundle.rootfs, 'added'), 'changed')
    expect(ok('cat', join(targets[1]!, 'added')).stdout).toBe('')
    expect(existsSync(join(targets[0]!, 'written-3'))).toBe(true)
    expect(() => writeFileSync(join(targets[1]!, 'added'), 'changed')).toThrow('EROFS')
  })

  test('an image without layers is an empty directory', () => {
    const bundle = newBundle()
    bundle.unpack([])
    expect(readdirSync(bundle.rootfs)).toEqual([])
    expect(bundle.deltaList()).toEqual(['.'])
  })

  test('a bundle on another file system is refused before anything is unpacked', () => {
    const { path, release } = mountNew('tmpfs')
    try {
      const bundle = new SetDriver('pool', join(makeWithin(disk), 'store'), join(path, 'bundle'))
      const prepared = bundle.call('prepare')
      expect(prepared.status).toBe(1)
      expect(prepared.stderr).toContain('must be on the same btrfs')
      const reversed = new SetDriver(
        'pool',
        join(path, 'store'),
        join(makeWithin(disk), 'bundle'),
        { BACKEND: 'btrfs' }
      )
      expect(reversed.call('prepare').stderr).toContain('is not on btrfs')
    } finally {
      release()
    }
  })

  test('the delta list covers every change, and nothing that was left alone', () => {
    const bundle = newBundle()
    const { targets } = bundle.unpack([base])
    changeTree(bundle.rootfs)
    const list = bundle.deltaList()
    expect(uncovered(list, targets[0]!, bundle.rootfs)).toEqual([])
    expect(list.filter((path) => path.startsWith('untouched'))).toEqual([])
    expect(list.filter((path) => /(^|\/)\.\.(\/|$)/.test(path))).toEqual([])
    expect(list).toContain('renamed/')
  })

  test('an attribute that reads like a rename makes the list longer, never shorter', () => {
    const bundle = newBundle()
    const { targets } = bundle.unpack([base])
    changeTree(bundle.rootfs)
    const forged = '1\nrename          ./now/untouched dest=a b'
    ok('setfattr', '-n', 'user.forged', '-v', forged, join(bundle.rootfs, 'changed/xattr'))
    const list = bundle.deltaList()
    expect(uncovered(list, targets[0]!, bundle.rootfs)).toEqual([])
    expect(list).toContain('dir/sub/deeper')
    expect(list).toContain('new/deep/file')
  })

  test('without the image, changes are left to the engine', () => {
    const bundle = newBundle()
    const { targets } = bundle.unpack([base])
    bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: '' })
    expect(existsSync(targets[0]!)).toBe(false)
    expect(bundle.call('delta-list').status).toBe(10)
  })

  test('a base that somebody else has named is not believed', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    const before = readdirSync(bundle.state).sort()
    for (const target of [disk.path, '..', 'base./..', 'base.x', `${bundle.store}/images`]) {
      rmSync(join(bundle.state, 'base'))
      symlinkSync(target, join(bundle.state, 'base'))
      const { status, stdout } = bundle.call('delta-list', { OCI_UNPACK_REFRESH: '0' })
      expect([1, 10]).toContain(status)
      expect([stdout, readdirSync(bundle.state).sort()]).toEqual(['', before])
    }
  })

  test('the image is found where the pool is by now', () => {
    const home = makeWithin(disk)
    newBundle(home).unpack([base])
    renameSync(join(home, 'store'), join(home, 'moved'))
    const bundle = new SetDriver('pool', join(home, 'moved'), join(home, '0'))
    writeFileSync(join(bundle.rootfs, 'new'), '')
    const list = bundle.deltaList()
    expect(list).toContain('new')
    expect(list.filter((path) => path.startsWith('untouched'))).toEqual([])
  })

  test('a change through one name of a file names all of them', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    writeFileSync(join(bundle.rootfs, 'links/written-2'), 'other')
    const list = bundle.deltaList()
    for (const name of ['links/written', 'links/written-2', 'written-3'])
      expect(list).toContain(name)
  })

  test('a renamed directory that holds a link names the other end', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    ok('mv', join(bundle.rootfs, 'moved/inner'), join(bundle.rootfs, 'gone-here'))
    expect(bundle.deltaList()).toContain('links/outside')
  })

  test('what lies in a subvolume of the rootfs is a change too', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    ok('btrfs', 'subvolume', 'create', join(bundle.rootfs, 'dir/inside'))
    expect(bundle.deltaList()).toContain('dir/inside/')
  })

  test('after a refresh only later changes are listed, and those made meanwhile are not lost', () => {
    const bundle = newBundle()
    const { targets } = bundle.unpack([base])
    changeTree(bundle.rootfs)
    bundle.deltaList({ refresh: true })
    writeFileSync(join(bundle.rootfs, 'meanwhile'), '')
    const chainId = keyOf('repacked')
    bundle.must('refresh-bundle', { OCI_UNPACK_CHAIN_ID: chainId })
    expect(namesIn(bundle.deltaList())).toEqual(['.', 'meanwhile'])
    const env = { OCI_UNPACK_KEY: chainId }
    expect(bundle.call('try-skip', env).status).toBe(10)
    expect(existsSync(targets[0]!)).toBe(true)
  })

  /** Without the names that new files have in a send stream until they get their own. */
  function namesIn(list: string[]): string[] {
    const names = list.map((path) => path.replace(/\/$/, ''))
    return [...new Set(names)].filter((name) => !/^o\d+-\d+-\d+$/.test(name)).sort()
  }

  describe('whoever looks for changes', () => {
    const remains = (bundle: SetDriver): unknown => [
      readdirSync(bundle.state).sort(),
      ok('btrfs', 'subvolume', 'list', disk.path).stdout.split('\n').length
    ]

    /** A PATH on which btrfs does that instead of what it is told with this word. */
    function pathWith(word: string, instead: string): string {
      const directory = makeWithin(disk)
      const real = ok('sh', '-c', 'command -v btrfs').stdout.trim()
      const script = `#!/bin/sh\ncase "$*" in *${word}*) ${instead} ;; esac\nexec ${real} "$@"\n`
      writeFileSync(join(directory, 'btrfs'), script, { mode: 0o755 })
      return `${directory}:${process.env.PATH!}`
    }

    test('leaves nothing behind, except before a refresh', () => {
      const bundle = newBundle()
      bundle.unpack([base])
      changeTree(bundle.rootfs)
      const before = remains(bundle)
      bundle.deltaList()
      expect(remains(bundle)).toEqual(before)
      bundle.deltaList({ refresh: true })
      expect(remains(bundle)).not.toEqual(before)
      bundle.must('refresh-bundle')
      writeFileSync(join(bundle.rootfs, 'later'), '')
      const refreshed = remains(bundle)
      bundle.deltaList()
      expect(remains(bundle)).toEqual(refreshed)
    })

    test.each(['0', '1'])('leaves nothing behind if it fails, with REFRESH=%s', (refresh) => {
      const bundle = newBundle()
      bundle.unpack([base])
      const before = remains(bundle)
      const env = { OCI_UNPACK_REFRESH: refresh, PATH: pathWith('receive', 'exit 1') }
      expect(bundle.call('delta-list', env).status).toBe(1)
      expect(remains(bundle)).toEqual(before)
    })

    test('removes what one left that was killed, and one of an earlier version', () => {
      const bundle = newBundle()
      bundle.unpack([base])
      writeFileSync(join(bundle.rootfs, 'new'), '')
      const before = remains(bundle)
      const PATH = pathWith('send', 'kill -9 $PPID')
      bundle.callAsDead('delta-list', { OCI_UNPACK_REFRESH: '1', PATH })
      expect(readdirSync(bundle.state)).toContain('list.owner-dead')
      ok('btrfs', 'subvolume', 'snapshot', '-r', bundle.rootfs, join(bundle.state, 'now'))
      bundle.deltaList()
      expect(remains(bundle)).toEqual(before)
      bundle.callAsDead('delta-list', { OCI_UNPACK_REFRESH: '1', PATH })
      ok('btrfs', 'subvolume', 'snapshot', '-r', bundle.rootfs, join(bundle.state, 'now'))
      bundle.must('delete')
      expect(readdirSync(bundle.state)).toEqual([])
    })

    test('does not disturb another one', () => {
      const bundle = newBundle()
      bundle.unpack([base])
      changeTree(bundle.rootfs)
      const before = remains(bundle)
      const other = new SetDriver('pool', bundle.store, bundle.bundle)
      bundle.deltaList({ refresh: true })
      expect(other.deltaList()).toContain('renamed/')
      bundle.must('refresh-bundle')
      writeFileSync(join(bundle.rootfs, 'later'), '')
      expect(other.deltaList()).not.toContain('renamed/')
      expect(remains(bundle)).not.toEqual(before)
    })
  })

  test('a change after the look is not lost, though the image is gone by then', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: '' })
    expect(bundle.call('delta-list', { OCI_UNPACK_REFRESH: '1' }).status).toBe(10)
    writeFileSync(join(bundle.rootfs, 'meanwhile'), '')
    bundle.must('refresh-bundle')
    expect(namesIn(bundle.deltaList())).toEqual(['.', 'meanwhile'])
  })

  test('a refresh of which nothing was seen before leaves the base', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    writeFileSync(join(bundle.rootfs, 'unseen'), '')
    expect(bundle.call('refresh-bundle').status).toBe(10)
    expect(namesIn(bundle.deltaList())).toEqual(['.', 'unseen'])
  })

  test('a refreshed rootfs becomes a state where the operator shares it', () => {
    const bundle = newBundle(makeWithin(disk), { SHARE_REPACKED: 'yes' })
    bundle.unpack([base])
    changeTree(bundle.rootfs)
    bundle.deltaList({ refresh: true })
    const repacked = layer('repacked', () => undefined)
    bundle.must('refresh-bundle', { OCI_UNPACK_CHAIN_ID: repacked.key })
    const state = bundle.must('try-skip', environmentOf([repacked], 0))
    expect(compareTrees(state, bundle.rootfs)).toEqual([])
  })

  test('a deleted bundle leaves the states and nothing else, however often it is deleted', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    changeTree(bundle.rootfs)
    bundle.deltaList()
    for (const path of ['outer', 'outer/in\nner', 'outer/in\nner/most', 'dir/other'])
      ok('btrfs', 'subvolume', 'create', join(bundle.rootfs, path))
    deletedAgainAndAgain(bundle)
  })

  test('what is mounted in a rootfs is not deleted with it', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    const elsewhere = join(makeWithin(disk), 'elsewhere')
    ok('btrfs', 'subvolume', 'create', elsewhere)
    ok('btrfs', 'subvolume', 'create', join(elsewhere, 'precious'))
    ok('btrfs', 'subvolume', 'create', join(bundle.rootfs, 'own'))
    const point = join(bundle.rootfs, 'mnt')
    mkdirSync(point)
    ok('mount', '--bind', elsewhere, point)
    try {
      // waiting would not help: it does not say that it is busy
      expect(bundle.call('delete').status).toBe(1)
    } finally {
      ok('umount', point)
    }
    expect(existsSync(join(elsewhere, 'precious'))).toBe(true)
    bundle.must('delete')
    expect(existsSync(bundle.rootfs)).toBe(false)
  })
})
