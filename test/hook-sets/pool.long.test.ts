/** What only the pool set has: its back ends, its guards, and instances that cost nothing. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { codeOf } from '../engine/support.ts'
import { snapshot } from '../reference/snapshot.ts'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { environmentOf, layer, SetDriver, type Layer } from './set-driver.ts'

const FILE_SYSTEMS = [
  { type: 'btrfs', backend: 'btrfs' },
  { type: 'xfs', backend: 'reflink' },
  { type: 'ext4', backend: 'plain' }
] as const
const usable = FILE_SYSTEMS.filter(({ type }) => needs('setfattr', ...requirementsOf(type)))

interface Wish {
  /** Names in the home of the test and in the pool's `instances`. */
  pool: string
  name: string
  env: Record<string, string>
}

const base = layer('base', (target) => writeFileSync(join(target, 'below'), 'below'))
const second = layer('second', (target) => writeFileSync(join(target, 'above'), 'above'))
const other = layer('other', (target) => writeFileSync(join(target, 'other'), 'other'))

describe.each(usable)('a pool on $type', ({ type, backend }) => {
  let disk: Mounted

  beforeAll(() => {
    disk = mountNew(type)
  })
  afterAll(() => disk.release())

  function newBundle(
    home = makeWithin(disk),
    { pool = 'pool', name = 'one', env = {} }: Partial<Wish> = {}
  ): SetDriver {
    return new SetDriver('pool', join(home, pool), join(home, pool, 'instances', name), env)
  }

  const image = ({ store }: SetDriver, { key }: Layer): string =>
    join(store, 'images', key.replace('sha256:', ''))

  describe('its back end', () => {
    test('follows from the file system, and asking leaves no trace', () => {
      const home = makeWithin(disk)
      const bundle = new SetDriver('pool', join(home, 'not/yet/there'), join(home, 'one'))
      expect(bundle.must('check')).toMatch(new RegExp(`^{"storage": "${backend}: .*"}$`))
      expect(readdirSync(home)).toEqual(['one'])
    })

    test('can be chosen, and is then kept', () => {
      const home = makeWithin(disk)
      newBundle(home, { env: { BACKEND: 'plain' } }).unpack([base])
      const later = newBundle(home, { name: 'later' })
      expect(later.must('check')).toMatch(/^{"storage": "plain: /)
      expect(later.unpack([base]).extracted).toEqual([])
      const changed = newBundle(home, { name: 'changed', env: { BACKEND: 'btrfs' } })
      expect(changed.call('prepare')).toMatchObject({
        status: 1,
        stderr: `${home}/pool was begun with the back end plain, and BACKEND is btrfs: use another POOL\n`
      })
    })

    test('is one that there is', () => {
      const bundle = newBundle(undefined, { env: { BACKEND: 'btrfz' } })
      expect(bundle.call('prepare').stderr).toContain('BACKEND must be auto, btrfs, zfs, reflink')
      expect(bundle.call('check').status).toBe(1)
    })
  })

  describe('a path', () => {
    /** Beside the pool, with a name that begins like it. */
    function makeOutside(home: string): string {
      const outside = join(home, 'pool2/staged/theirs')
      mkdirSync(outside, { recursive: true })
      writeFileSync(join(outside, 'precious'), '')
      return outside
    }

    const leadingOut = (home: string): string[] => {
      const outside = makeOutside(home)
      symlinkSync(outside, join(home, 'pool/staged/link'))
      return [
        outside,
        join(home, 'pool/staged') + '/../../pool2/staged/theirs',
        join(home, 'pool/staged/link'),
        join(home, 'pool/staged') + '/..',
        join(home, 'pool/staged') + '/.',
        join(home, 'pool/staged') + '/'
      ]
    }

    test('out of the pool is neither committed nor removed', () => {
      const home = makeWithin(disk)
      const bundle = newBundle(home)
      bundle.must('prepare')
      for (const target of leadingOut(home)) {
        const env = { ...environmentOf([base], 0), OCI_UNPACK_TARGET: target }
        expect(bundle.call('post-extract', env).stderr).toContain('is not staged in')
        bundle.must('abort', { OCI_UNPACK_TARGETS: target })
        expect(existsSync(join(home, 'pool2/staged/theirs/precious'))).toBe(true)
        expect(existsSync(join(home, 'pool/staged'))).toBe(true)
      }
    })

    test('out of the pool is not shown', () => {
      const home = makeWithin(disk)
      const bundle = newBundle(home)
      bundle.must('prepare')
      const outside = makeOutside(home)
      symlinkSync(outside, join(home, 'pool/images/link'))
      for (const target of [outside, join(home, 'pool/images/link'), join(home, 'pool/images')]) {
        const finished = bundle.call('finish', { OCI_UNPACK_LAYER_TARGETS: target })
        expect(finished).toMatchObject({ status: 1, stderr: `${target} was never committed\n` })
        expect(existsSync(bundle.rootfs)).toBe(false)
      }
    })

    test('to the pool may have an odd name', () => {
      const bundle = newBundle(undefined, { pool: 'a b\\040\\tc*' })
      const { targets } = bundle.unpack([base, second])
      expect(targets).toEqual([image(bundle, base), image(bundle, second)])
      expect(bundle.run('sweep')).toEqual([])
      bundle.call('delete')
      ok('rm', '-rf', bundle.bundle)
      expect(bundle.run('sweep', '--remove')).toHaveLength(2)
      expect(readdirSync(join(bundle.store, 'images'))).toEqual([])
    })

    test('to the pool may be a link', () => {
      const home = makeWithin(disk)
      mkdirSync(join(home, 'real'))
      symlinkSync('real', join(home, 'pool'))
      const { targets } = newBundle(home).unpack([base, second])
      expect(targets[0]!.startsWith(`${home}/real/images/`)).toBe(true)
    })
  })

  test('a second instance is there at once, and a committed image as it was', () => {
    const home = makeWithin(disk)
    const bundle = newBundle(home)
    bundle.unpack([base, second])
    const before = snapshot(image(bundle, second))
    expect(newBundle(home, { name: 'two' }).unpack([base, second]).extracted).toEqual([])
    const env = environmentOf([base, second], 1)
    const staged = bundle.must('pre-extract', env)
    writeFileSync(join(staged, 'late'), '')
    bundle.must('post-extract', { ...env, OCI_UNPACK_TARGET: staged })
    expect(snapshot(image(bundle, second))).toBe(before)
    expect(readdirSync(join(home, 'pool/staged'))).toEqual([])
  })

  test('an instance that exists is not touched, and one that is half-made is made again', async () => {
    const home = makeWithin(disk)
    const hooks = { file: shippedSet('pool', home) }
    const { reference } = buildImage(join(home, 'layout'), { layers: [tar(file('a', 'a'))] })
    const destination = join(home, 'store/instances/one')
    const unpack = () => library.unpack({ image: reference, destination, hooks })
    await unpack()
    writeFileSync(join(destination, 'rootfs/mine'), 'mine')
    const before = snapshot(destination)
    expect(await codeOf(unpack())).toBe('BUNDLE_EXISTS')
    expect(snapshot(destination)).toBe(before)
    // as a killed unpack leaves it
    for (const name of readdirSync(destination))
      if (!['.oci-unpack', 'rootfs'].includes(name)) rmSync(join(destination, name))
    writeFileSync(join(destination, '.oci-unpack/unfinished'), '', { mode: 0o600 })
    if (backend !== 'btrfs') writeFileSync(join(destination, '.oci-unpack/copying'), '')
    await unpack()
    expect(readdirSync(join(destination, 'rootfs'))).toEqual(['a'])
  })

  describe('sweep', () => {
    const sweep = (bundle: SetDriver, ...args: string[]): string[] =>
      bundle.run('sweep', ...args).sort()

    test('lists what no instance was made of, and removes it if told so', () => {
      const home = makeWithin(disk)
      const [one, two] = [newBundle(home), newBundle(home, { name: 'two' })]
      one.unpack([base, second])
      two.unpack([other])
      expect(sweep(one)).toEqual([])
      two.call('delete')
      ok('rm', '-rf', two.bundle)
      const line = `image images/${basename(image(two, other))}`
      expect(sweep(one)).toEqual([line])
      expect(existsSync(image(two, other))).toBe(true)
      expect(sweep(one, '--remove')).toEqual([line])
      expect(readdirSync(join(home, 'pool/images')).sort()).toEqual(
        [base, second].map((it) => basename(image(one, it))).sort()
      )
      expect(sweep(one)).toEqual([])
      expect(one.call('sweep', {}, '--all').status).toBe(2)
    })

    test('finds what a dead process staged, and leaves what a living one has', () => {
      const home = makeWithin(disk)
      const bundle = newBundle(home)
      bundle.must('prepare')
      const env = environmentOf([base], 0)
      const alive = bundle.must('pre-extract', env)
      const dead = bundle.callAsDead('pre-extract', env).stdout.trimEnd()
      const line = `staged staged/${basename(dead)}`
      expect(sweep(bundle)).toEqual([line])
      expect(sweep(bundle, '--remove')).toEqual([line])
      expect(readdirSync(join(home, 'pool/staged'))).toEqual([basename(alive)])
    })

    test('leaves images alone while an unpack relies on them', () => {
      const home = makeWithin(disk)
      const [one, two] = [newBundle(home), newBundle(home, { name: 'two' })]
      one.unpack([base])
      one.call('delete')
      ok('rm', '-rf', one.bundle)
      two.must('prepare')
      two.must('try-skip', environmentOf([base], 0))
      const { stdout, stderr } = two.call('sweep', {}, '--remove')
      expect([stdout, stderr]).toEqual(['', expect.stringContaining('an unpack is running')])
      two.unpack([base])
      expect(sweep(two)).toEqual([])
    })

    test('makes an unpack that begins meanwhile wait', async () => {
      const bundle = newBundle()
      bundle.must('prepare')
      const holder = spawn('flock', [join(bundle.store, 'lock'), 'sh', '-c', 'echo; exec cat'])
      await new Promise((resolve) => holder.stdout.once('data', resolve))
      expect(bundle.call('prepare').status).toBe(75)
      expect(bundle.call('gc', { OCI_UNPACK_LIVE_KEYS: '' }).status).toBe(75)
      holder.stdin.end()
      await new Promise((resolve) => holder.once('exit', resolve))
      bundle.must('prepare')
    })

    test('names bundles that were never finished', () => {
      const bundle = newBundle()
      bundle.must('prepare')
      writeFileSync(join(bundle.state, 'unfinished'), '')
      expect(sweep(bundle, '--remove')).toEqual([`unfinished ${bundle.bundle}`])
      expect(existsSync(bundle.bundle)).toBe(true)
    })
  })

  if (backend === 'plain') return
  test('a second instance writes less than 1 MiB, however large the files of the image are', async () => {
    const home = makeWithin(disk)
    const hooks = { file: shippedSet('pool', home) }
    const big = 48 * 2 ** 20
    const { reference } = buildImage(join(home, 'layout'), {
      layers: [tar(file('big', randomBytes(big)))]
    })
    const device = deviceOf(disk)
    /** Bytes that reach the device, all told. */
    const written = async (name: string): Promise<number> => {
      ok('sync', '-f', disk.path)
      const before = sectors(device)
      const destination = join(home, 'store/instances', name)
      await library.unpack({ image: reference, destination, hooks })
      ok('sync', '-f', disk.path)
      return (sectors(device) - before) * 512
    }
    expect(await written('one')).toBeGreaterThan(big)
    expect(await written('two')).toBeLessThan(2 ** 20)
  })
})

function deviceOf({ path }: Mounted): string {
  return basename(ok('findmnt', '-no', 'SOURCE', path).stdout.trim())
}

/** Written since the device was made: Documentation/block/stat.rst of the kernel, field 7. */
function sectors(device: string): number {
  const fields = readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/ +/)
  return Number(fields[6])
}

describe.runIf(needs('btrfs', ...requirementsOf('btrfs')))('instances that are snapshots', () => {
  let disk: Mounted

  beforeAll(() => {
    disk = mountNew('btrfs')
  })
  afterAll(() => disk.release())

  const newBundle = (name: string, home = makeWithin(disk)): SetDriver =>
    new SetDriver('pool', join(home, 'pool'), join(home, 'pool/instances', name))

  const ODD_NAMES = ['sp ace', 'new\nline', 'end\n', 'tab\t', 'back\\slash', 'back\\040slash', '*']
  test.each(ODD_NAMES)('a mount in an instance with the name %j is seen', (name) => {
    const bundle = newBundle(name)
    bundle.unpack([base])
    const point = join(bundle.rootfs, name)
    mkdirSync(point)
    ok('mount', '-t', 'tmpfs', 'tmpfs', point)
    writeFileSync(join(point, 'precious'), '')
    try {
      const { status, stderr } = bundle.call('delete')
      expect([status, stderr]).toEqual([1, `Something is mounted in ${bundle.rootfs}\n`])
      expect(existsSync(join(point, 'precious'))).toBe(true)
    } finally {
      ok('umount', point)
    }
    bundle.must('delete')
    expect(existsSync(bundle.rootfs)).toBe(false)
  })

  test('a mount in another instance is not one in this', () => {
    const home = makeWithin(disk)
    const bundle = newBundle('a b', home)
    bundle.unpack([base])
    // what escaping, a pattern and a comparison of beginnings would take for it
    const decoys = ['a\\040b/rootfs', 'a?b/rootfs', 'a b/rootfs2', 'a b2/rootfs']
    const points = decoys.map((path) => join(home, 'pool/instances', path))
    for (const point of points) {
      mkdirSync(point, { recursive: true })
      ok('mount', '-t', 'tmpfs', 'tmpfs', point)
    }
    try {
      bundle.must('delete')
      expect(existsSync(bundle.rootfs)).toBe(false)
    } finally {
      for (const point of points) ok('umount', point)
    }
  })

  test('subvolumes inside go deepest first, below one that is read-only, too', () => {
    const bundle = newBundle('nested')
    bundle.unpack([base])
    for (const path of ['outer', 'outer/inner', 'outer/inner/most', 'other'])
      ok('btrfs', 'subvolume', 'create', join(bundle.rootfs, path))
    ok('btrfs', 'property', 'set', '-t', 'subvol', join(bundle.rootfs, 'outer'), 'ro', 'true')
    bundle.must('delete')
    bundle.must('delete')
    expect(existsSync(bundle.rootfs)).toBe(false)
    expect(ok('btrfs', 'subvolume', 'list', disk.path).stdout).not.toMatch(/nested/)
  })

  test('a list leaves nothing in an instance, and works where nothing can be written', async () => {
    const home = makeWithin(disk)
    const hooks = { file: shippedSet('pool', home) }
    const layers = [tar(file('a', randomBytes(2 ** 20)))]
    const { reference } = buildImage(join(home, 'layout'), { layers })
    const directory = join(home, 'store/instances')
    for (const name of ['one', 'two'])
      await library.unpack({ image: reference, destination: join(directory, name), hooks })
    writeFileSync(join(directory, 'two/rootfs/new'), '')
    const list = async () => {
      const found = await library.listBundles({ directory, hooks })
      return found.map(({ name, size, changed, error }) => ({ name, size, changed, error }))
    }
    ok('btrfs', 'filesystem', 'sync', disk.path)
    const subvolumes = (): string => ok('btrfs', 'subvolume', 'list', disk.path).stdout
    const [first, before] = [await list(), subvolumes()]
    expect(first.map(({ changed, error }) => [changed, error])).toEqual([
      [false, undefined],
      [true, undefined]
    ])
    expect(first[0]!.size).toBeLessThan(2 ** 21)
    const changes = (found: typeof first) => found.map(({ changed, error }) => [changed, error])
    for (const found of await Promise.all([list(), list(), list()]))
      expect(changes(found)).toEqual(changes(first))
    expect(await list()).toEqual(first)
    expect(subvolumes().split('\n')).toHaveLength(before.split('\n').length)
    ok('mount', '-o', 'remount,ro', disk.path)
    try {
      expect(await list()).toEqual(first)
    } finally {
      ok('mount', '-o', 'remount,rw', disk.path)
    }
  })

  describe('of an image with 10,000 files', () => {
    const files = Array.from({ length: 10_000 }, (_, n) => file(`file-${String(n)}`, String(n)))
    let home: string
    let reference: string

    beforeAll(() => {
      home = makeWithin(disk)
      reference = buildImage(join(home, 'layout'), { layers: [tar(...files)] }).reference
    })
    afterEach(() => vi.unstubAllEnvs())

    interface Cost {
      /** Bytes that are in use afterwards and were not before. */
      room: number
      /** Bytes that reach the device: metadata of btrfs twice. */
      written: number
    }

    /** Of the cheapest of three further instances: btrfs does other work, too. */
    async function costWithCache(directory: string): Promise<Cost> {
      vi.stubEnv('XDG_CACHE_HOME', directory)
      const own = mkdtempSync(join(home, 'own-'))
      const hooks = { file: shippedSet('pool', own) }
      const costs: Cost[] = []
      for (const name of ['first', 'a', 'b', 'c']) {
        for (const _twice of [1, 2]) ok('btrfs', 'filesystem', 'sync', disk.path)
        const before = [bytesUsed(), sectors(deviceOf(disk))] as const
        const destination = join(own, 'store/instances', name)
        await library.unpack({ image: reference, destination, hooks })
        for (const _twice of [1, 2]) ok('btrfs', 'filesystem', 'sync', disk.path)
        const written = (sectors(deviceOf(disk)) - before[1]) * 512
        costs.push({ room: bytesUsed() - before[0], written })
      }
      return costs.slice(1).sort((one, other) => one.written - other.written)[0]!
    }

    const bytesUsed = (): number =>
      [
        ...ok('btrfs', 'filesystem', 'df', '-b', disk.path).stdout.matchAll(
          /^(?:Data|Metadata).*used=(\d+)/gm
        )
      ].reduce((sum, [, used]) => sum + Number(used), 0)

    test('a further instance takes less than 256 KiB, if the cache is on its file system', async () => {
      const { room, written } = await costWithCache(join(home, 'cache'))
      expect(room).toBeLessThan(2 ** 18)
      expect(written).toBeLessThan(2 ** 21)
    })

    test('elsewhere, it also takes its tree manifest', async () => {
      const { path, release } = mountNew('tmpfs')
      try {
        const { room } = await costWithCache(path)
        expect(room).toBeGreaterThan(2 ** 20)
        expect(room).toBeLessThan(2 ** 21)
      } finally {
        release()
      }
    })
  })

  test('an instance on a btrfs needs no mount', async () => {
    const home = makeWithin(disk)
    const hooks = { file: shippedSet('pool', home) }
    const { reference } = buildImage(join(home, 'layout'), { layers: [tar(file('a', 'a'))] })
    const bundle = join(home, 'store/instances/one')
    await library.unpack({ image: reference, destination: bundle, hooks })
    await library.umountBundle({ bundle, hooks })
    await library.mountBundle({ bundle, hooks })
    expect(readdirSync(join(bundle, 'rootfs'))).toEqual(['a'])
    await library.deleteBundle({ bundle, hooks })
    expect(existsSync(bundle)).toBe(false)
  })
})
