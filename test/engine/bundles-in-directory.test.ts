/** `bundle list` and `bundle prune`: what is known of bundles, and which of them are removed. */
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  listBundles,
  pruneBundles,
  unpack,
  type ListBundlesOptions,
  type ListedBundle,
  type PruneBundlesOptions
} from '../../src/index.ts'
import { tryLock } from '../../src/sys/lock.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { directory, file, hardlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'
import { chainStore } from './storage/directory-store.ts'
import { codeOf } from './support.ts'

const LAYER = tar(
  directory('d/'),
  file('d/f', 'content'),
  file('d/large', 'x'.repeat(1 << 20)),
  hardlink('d/name', 'd/large')
)

let work: string
let pool: string
let image: string
let digest: string
let day: number
beforeEach(() => {
  work = makeTemporary()
  pool = `${work}/pool`
  fs.mkdirSync(pool)
  const built = buildImage(`${work}/layout`, { layers: [LAYER], tag: 't' })
  image = built.reference
  digest = built.manifest.digest
  day = 0
})
afterEach(() => removeTemporary(work))

type Hooks = ListBundlesOptions['hooks']

/** Each is a day older than the next, by the time of umoci.json. */
async function add(name: string, from = image, hooks?: Hooks): Promise<string> {
  const destination = `${pool}/${name}`
  const options = { ...unpackOptions, image: from, destination, jobs: 0 }
  await unpack({ ...options, ...(hooks === undefined ? {} : { hooks }) })
  day++
  // config.json is never newer than umoci.json
  for (const file of ['config.json', 'umoci.json'])
    fs.utimesSync(`${destination}/${file}`, day * 86_400, day * 86_400)
  return destination
}

async function list(more: Partial<ListBundlesOptions> = {}): Promise<ListedBundle[]> {
  return listBundles({ directory: pool, jobs: 0, ...more })
}

/** `name kept`, or `name` for what was removed. */
async function prune(more: Partial<PruneBundlesOptions> = {}): Promise<string[]> {
  const pruned = await pruneBundles({ directory: pool, keep: 1, jobs: 0, ...more })
  return pruned.map(({ name, kept, error }) =>
    [name, kept, error?.code].filter((it) => it !== undefined).join(' ')
  )
}

function allocated(path: string): number {
  return Number(ok('du', '-s', '-B1', path).stdout.split('\t')[0])
}

describe('a list', () => {
  test('says what a bundle is', async () => {
    await add('a')
    fs.symlinkSync('a', `${pool}/current`)
    fs.symlinkSync(`${pool}/a/rootfs`, `${pool}/root`)
    fs.symlinkSync('nowhere', `${pool}/dangling`)
    fs.mkdirSync(`${pool}/other`)
    fs.writeFileSync(`${pool}/file`, '')
    expect(await list()).toEqual([
      {
        name: 'a',
        image: { name: `oci:${image}`, place: `oci:${work}/layout`, digest },
        unpacked: '1970-01-02T00:00:00.000Z',
        storage: 'directory',
        size: allocated(`${pool}/a`),
        changed: false,
        mounted: false,
        selectedBy: ['current', 'root']
      }
    ])
  })

  test('of an empty directory is empty', async () => expect(await list()).toEqual([]))

  test('of no directory is refused', async () => {
    expect(await codeOf(list({ directory: `${work}/none` }))).toBe('SYSCALL_FAILED')
  })

  const CHANGES: Readonly<Record<string, [edit: (bundle: string) => void, changed: boolean]>> = {
    nothing: [() => undefined, false],
    'a new file': [(bundle) => fs.writeFileSync(`${bundle}/rootfs/d/new`, ''), true],
    'a deleted file': [(bundle) => fs.rmSync(`${bundle}/rootfs/d/f`), true],
    'content alone': [
      (bundle) => {
        const { atime, mtime } = fs.statSync(`${bundle}/rootfs/d/f`)
        fs.writeFileSync(`${bundle}/rootfs/d/f`, 'CONTENT')
        fs.utimesSync(`${bundle}/rootfs/d/f`, atime, mtime)
      },
      true
    ],
    'a mode': [(bundle) => fs.chmodSync(`${bundle}/rootfs/d/f`, 0o600), true],
    'the same mode': [(bundle) => fs.chmodSync(`${bundle}/rootfs/d/f`, 0o644), false],
    'config.json': [(bundle) => fs.appendFileSync(`${bundle}/config.json`, ' '), true],
    'another file of the bundle': [(bundle) => fs.writeFileSync(`${bundle}/notes`, ''), false]
  }

  test.each(Object.entries(CHANGES))('sees a change: %s', async (_name, [edit, changed]) => {
    edit(await add('a'))
    expect(await list()).toMatchObject([{ name: 'a', changed }])
  })

  test('compares the content of a copy', async () => {
    const bundle = await add('a')
    for (const name of ['b', 'c']) ok('cp', '-a', bundle, `${pool}/${name}`)
    CHANGES['content alone']![0](`${pool}/b`)
    fs.rmSync(`${pool}/c/rootfs/d/name`)
    fs.linkSync(`${pool}/c/rootfs/d/f`, `${pool}/c/rootfs/d/name`)
    const listed = await list()
    expect(listed.map(({ changed }) => changed)).toEqual([false, true, true])
  })

  test('does not take a socket for a change', async () => {
    const bundle = await add('a')
    const { atime, mtime } = fs.statSync(`${bundle}/rootfs/d`)
    const server = createServer().listen(`${bundle}/rootfs/d/a-socket`)
    await new Promise((resolve) => server.once('listening', resolve))
    fs.utimesSync(`${bundle}/rootfs/d`, atime, mtime)
    const before = await list()
    fs.chmodSync(`${bundle}/rootfs/d/f`, 0o600)
    const after = await list()
    server.close()
    expect([before, after]).toMatchObject([[{ changed: false }], [{ changed: true }]])
  })

  const BROKEN: Readonly<Record<string, (bundle: string) => void>> = {
    'damaged metadata': (bundle) => fs.writeFileSync(`${bundle}/umoci.json`, '{'),
    'no root file system': (bundle) => fs.renameSync(`${bundle}/rootfs`, `${bundle}/other`),
    'a link to a root file system': (bundle) => {
      fs.renameSync(`${bundle}/rootfs`, `${work}/rootfs`)
      fs.symlinkSync(`${work}/rootfs`, `${bundle}/rootfs`)
    },
    'no config.json': (bundle) => fs.rmSync(`${bundle}/config.json`),
    'no tree manifest': (bundle) => {
      for (const name of fs.readdirSync(bundle))
        if (/\.(mtree|fingerprints)$/.test(name)) fs.rmSync(`${bundle}/${name}`)
    },
    'an unfinished one': (bundle) => {
      fs.mkdirSync(`${bundle}/.oci-unpack`)
      fs.writeFileSync(`${bundle}/.oci-unpack/unfinished`, '')
    }
  }

  test.each(Object.entries(BROKEN))('goes on after %s', async (_name, damage) => {
    damage(await add('a'))
    await add('b')
    expect(await list()).toMatchObject([
      { name: 'a', error: { code: 'BUNDLE_INVALID' } },
      { name: 'b', changed: false }
    ])
    expect(await prune()).toEqual(['a failed BUNDLE_INVALID', 'b newest'])
    expect(fs.readdirSync(pool)).toEqual(['a', 'b'])
  })

  test.each(Object.entries(BROKEN))(
    'does not count it among those to keep: %s',
    async (_name, damage) => {
      await add('a')
      await add('b')
      damage(await add('c'))
      expect((await prune()).sort()).toEqual(['a', 'b newest', 'c failed BUNDLE_INVALID'])
      expect(fs.readdirSync(pool)).toEqual(['b', 'c'])
    }
  )

  test('does not wait for a process that works in a bundle', async () => {
    const fd = fs.openSync(await add('a'), 'r')
    await add('b')
    try {
      expect(tryLock(fd, 'exclusive')).toBe(true)
      expect(await list()).toMatchObject([{ error: { code: 'BUNDLE_BUSY' } }, { name: 'b' }])
      expect(await prune()).toEqual(['a failed BUNDLE_BUSY', 'b newest'])
    } finally {
      fs.closeSync(fd)
    }
  })

  test('can be stopped', async () => {
    await add('a')
    expect(await codeOf(list({ signal: AbortSignal.abort() }))).toBe('ABORTED')
  })
})

describe('pruning', () => {
  test('has nothing to say of what another process removed meanwhile', async () => {
    for (const name of ['a', 'b', 'c']) await add(name)
    const both = await Promise.all([prune(), prune()])
    // what one of them is just removing, the other finds busy or gone
    const failures = both.flat().filter((line) => / failed (?!BUNDLE_BUSY$)/.test(line))
    expect(failures).toEqual([])
    expect(fs.readdirSync(pool)).toEqual(['c'])
  })

  test('removes the oldest, and says so beforehand', async () => {
    for (const name of ['c', 'b', 'a']) await add(name)
    const outcome = ['c', 'b', 'a newest']
    expect(await prune({ dryRun: true })).toEqual(outcome)
    expect(fs.readdirSync(pool)).toEqual(['a', 'b', 'c'])
    expect(await prune()).toEqual(outcome)
    expect(fs.readdirSync(pool)).toEqual(['a'])
    expect(await prune()).toEqual(['a newest'])
  })

  test('counts the images of each place', async () => {
    const other = buildImage(`${work}/other`, { layers: [tar()], tag: 't' }).reference
    await add('a')
    await add('b', other)
    await add('c')
    await add('d', other)
    expect(await prune()).toEqual(['a', 'b', 'c newest', 'd newest'])
  })

  const NEEDED: Readonly<Record<string, [use: (bundle: string) => void, kept: string]>> = {
    'a link leads to': [(bundle) => fs.symlinkSync(bundle, `${pool}/current`), 'selected'],
    'a link leads into': [(bundle) => fs.symlinkSync(`${bundle}/rootfs`, `${pool}/x`), 'selected'],
    'was changed': [(bundle) => fs.writeFileSync(`${bundle}/rootfs/new`, ''), 'changed'],
    'has another config': [(bundle) => fs.appendFileSync(`${bundle}/config.json`, ' '), 'changed']
  }

  test.each(Object.entries(NEEDED))('keeps what %s', async (_name, [use, kept]) => {
    use(await add('a'))
    await add('b')
    expect(await prune()).toEqual([`a ${kept}`, 'b newest'])
    expect(fs.existsSync(`${pool}/a/rootfs/d/f`)).toBe(true)
    const forced = kept === 'changed' ? 'a' : `a ${kept}`
    expect(await prune({ force: true })).toEqual([forced, 'b newest'])
    expect(fs.existsSync(`${pool}/a`)).toBe(kept !== 'changed')
  })

  test('keeps a bundle whose name only begins like that of a selected one from nothing', async () => {
    await add('a')
    fs.symlinkSync(await add('a-selected'), `${pool}/current`)
    await add('b')
    expect(await prune()).toEqual(['a', 'a-selected selected', 'b newest'])
  })

  test.each([0, -1, 1.5, NaN])('refuses to keep %s', async (keep) => {
    await add('a')
    expect(await codeOf(prune({ keep }))).toBe('USAGE')
    expect(fs.readdirSync(pool)).toEqual(['a'])
  })

  test.runIf(needs('root', 'python3'))('keeps the root of a process', async () => {
    const bundle = await add('a')
    await add('b')
    const script = `import os,time; os.chroot(${JSON.stringify(`${bundle}/rootfs`)}); print(1, flush=True); time.sleep(60)`
    const child = spawn('python3', ['-c', script])
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve))
      expect(await prune({ force: true })).toEqual(['a used', 'b newest'])
    } finally {
      child.kill('SIGKILL')
    }
    await new Promise((resolve) => child.once('exit', resolve))
    expect(await prune({ force: true })).toEqual(['a', 'b newest'])
  })

  test.runIf(needs('root', 'mounts'))('keeps what has a mount in it', async () => {
    const bundle = await add('a')
    await add('b')
    ok('mount', '-t', 'tmpfs', '-o', 'size=16M', 'tmpfs', `${bundle}/rootfs/d`)
    try {
      fs.writeFileSync(`${bundle}/rootfs/d/mounted`, Buffer.alloc(8 << 20))
      const [listed] = await list()
      expect(listed).toMatchObject({ mounted: true, changed: true })
      expect(listed!.size).toBeLessThan(8 << 20)
      expect(await prune({ force: true })).toEqual(['a mounted', 'b newest'])
    } finally {
      ok('umount', `${bundle}/rootfs/d`)
    }
  })
})

describe.runIf(needs('root'))('bundles that hooks made', () => {
  test('have the name of their hooks, which are asked what changed', async () => {
    const store = chainStore(`${work}/store`)
    const bundle = await add('a', image, store.hooks)
    fs.writeFileSync(`${bundle}/rootfs/d/new`, '')
    store.calls.length = 0
    expect(await list({ hooks: store.hooks })).toMatchObject([
      { storage: 'directories', changed: false } // they said so
    ])
    store.delta.push('d/new')
    expect(await list({ hooks: store.hooks })).toMatchObject([{ changed: true }])
    expect(store.calls).toEqual(['delta-list', 'delta-list'])
    store.delta.length = 0
    expect(await list()).toMatchObject([{ storage: 'directories', changed: true }])
    fs.renameSync(`${work}/layout`, `${work}/gone`)
    expect(await list({ hooks: store.hooks })).toMatchObject([{ changed: true }])
  })

  test('are removed by them, and by nobody else', async () => {
    const deleted: string[] = []
    const { hooks } = chainStore(`${work}/store`, {
      delete: ({ bundle }) => void deleted.push(bundle)
    })
    const bundle = await add('a', image, hooks)
    await add('b', image, hooks)
    for (const dryRun of [true, false])
      expect(await prune({ dryRun })).toEqual(['a failed USAGE', 'b newest'])
    expect(await prune({ hooks, dryRun: true })).toEqual(['a', 'b newest'])
    expect(deleted).toEqual([])
    expect(await prune({ hooks })).toEqual(['a', 'b newest'])
    expect(deleted).toEqual([bundle])
  })

  test('stay if their hook cannot remove them, and the others go', async () => {
    const { hooks } = chainStore(`${work}/store`, {
      delete({ bundle }) {
        if (bundle.endsWith('/a')) throw new Error('no')
      }
    })
    for (const name of ['a', 'b', 'c']) await add(name, image, hooks)
    expect(await prune({ hooks })).toEqual(['a failed HOOK_FAILED', 'b', 'c newest'])
    expect(fs.readdirSync(pool)).toEqual(['a', 'c'])
  })

  test('of which nothing but a copy is there are not touched', async () => {
    const { hooks } = chainStore(`${work}/store`)
    await add('b', image, hooks)
    await add('c', image, hooks)
    ok('cp', '-a', `${pool}/b`, `${pool}/a`)
    expect((await list())[0]).toMatchObject({ error: { code: 'BUNDLE_INVALID' } })
    expect(await prune({ hooks })).toEqual(['a failed BUNDLE_INVALID', 'b', 'c newest'])
  })
})

describe.runIf(needs('root', 'mounts', 'mountpoint'))('bundles that hooks mount', () => {
  const calls: string[] = []
  let hooks: NonNullable<Hooks>

  beforeEach(() => {
    calls.length = 0
    const bind = (rootfs: string): void => {
      const kept = `${work}/kept-${rootfs.split('/').at(-2)!}`
      if (!fs.existsSync(kept)) ok('cp', '-a', `${work}/store/states/${top()}`, kept)
      if (run('mountpoint', '-q', rootfs).status !== 0) ok('mount', '--bind', kept, rootfs)
    }
    const top = (): string => fs.readdirSync(`${work}/store/states`)[0]!
    hooks = chainStore(`${work}/store`, {
      finish({ rootfs }) {
        fs.mkdirSync(rootfs)
        bind(rootfs)
      },
      mount({ rootfs }) {
        calls.push('mount')
        bind(rootfs)
      },
      umount({ rootfs }) {
        calls.push('umount')
        run('umount', rootfs)
      },
      delete({ rootfs }) {
        calls.push('delete')
        run('umount', rootfs)
        fs.rmSync(rootfs, { recursive: true, force: true })
      },
      deltaList: () => 'decline'
    }).hooks
  })
  afterEach(() => {
    for (const name of ['a', 'b']) while (run('umount', `${pool}/${name}/rootfs`).status === 0);
  })

  test('stay while they are mounted, and are mounted for a look otherwise', async () => {
    const a = `${await add('a', image, hooks)}/rootfs`
    await add('b', image, hooks)
    expect(await list({ hooks })).toMatchObject([
      { mounted: true, changed: false },
      { mounted: true, changed: false }
    ])
    expect((await list())[0]!.size).toBeLessThan(1 << 20)
    expect(await prune({ hooks, force: true })).toEqual(['a mounted', 'b newest'])
    fs.writeFileSync(`${a}/new`, '')
    ok('umount', a)
    const [unmounted] = await list({ hooks })
    expect(unmounted).toMatchObject({ mounted: false })
    expect(unmounted).not.toHaveProperty('changed')
    expect(unmounted).not.toHaveProperty('error')
    expect(await prune({ hooks })).toEqual(['a changed', 'b newest'])
    expect(calls).toEqual(['mount', 'umount'])
    expect(run('mountpoint', '-q', a).status).not.toBe(0)
    calls.length = 0
    expect(await prune({ hooks, force: true })).toEqual(['a', 'b newest'])
    expect(calls).toEqual(['delete'])
  })
})
