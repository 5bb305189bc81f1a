import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ChangeResult, RepackOptions, UnpackHooks } from '../../../src/index.ts'
import { library } from '../../support/dist.ts'
import { needs } from '../../support/requires.ts'
import { ok } from '../../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../../support/tar-builder.ts'
import { codeOf, inScratch, optionsFor, recorder } from '../support.ts'
import { chainStore, type DirectoryStore } from './directory-store.ts'

const LAYERS = [
  tar(
    directory('etc/'),
    file('etc/a', 'one'),
    file('etc/b', 'two'),
    directory('old/'),
    directory('old/deep/'),
    file('old/deep/f', 'five')
  ),
  tar(file('linked', 'three'), hardlink('second', 'linked'), symlink('link', 'etc'))
]

interface Stored {
  store: DirectoryStore
  rootfs: string
  repack: (tag: string, more?: Partial<RepackOptions>) => Promise<ChangeResult>
}

/** A bundle whose root file system is a copy of the top state. */
async function withStored(
  act: (stored: Stored) => Promise<void>,
  hooks: Partial<UnpackHooks> = {}
): Promise<void> {
  await inScratch(async (work) => {
    const store = chainStore(`${work}/store`, hooks)
    const options = optionsFor(work, LAYERS)
    await library.unpack({ ...options, hooks: store.hooks })
    const bundle = options.destination
    const layout = options.image.slice(0, options.image.lastIndexOf(':'))
    const repack: Stored['repack'] = (tag, more = {}) =>
      library.repack({
        image: `${layout}:${tag}`,
        bundle,
        hooks: store.hooks,
        sourceDateEpoch: 2_000_000_000,
        ...more
      })
    await act({ store, rootfs: `${bundle}/rootfs`, repack })
  })
}

function edit(rootfs: string): string[] {
  fs.writeFileSync(`${rootfs}/etc/a`, 'changed')
  fs.rmSync(`${rootfs}/etc/b`)
  fs.renameSync(`${rootfs}/old`, `${rootfs}/moved`)
  fs.mkdirSync(`${rootfs}/new`)
  fs.writeFileSync(`${rootfs}/new/file`, 'x')
  return ['.', 'etc', 'etc/a', 'etc/b', 'old', 'moved/', 'new', 'new/file']
}

describe.runIf(needs('root'))('a repack by a list of changes', () => {
  test('makes the layer that a look at everything makes', () =>
    withStored(async ({ store, rootfs, repack }) => {
      store.delta = edit(rootfs)
      const listed = await repack('listed')
      const walked = await repack('walked', { hooks: {} })
      expect(listed.layer).toBeDefined()
      expect(listed).toEqual(walked)
      expect(store.calls.filter((call) => call === 'delta-list')).toHaveLength(1)
    }))

  test('drops what the list names without need, however often', () =>
    withStored(async ({ store, rootfs, repack }) => {
      const changed = edit(rootfs)
      store.delta = [...changed, ...changed, 'linked', 'second', 'never/there', 'etc/', 'link/x']
      expect(await repack('listed')).toEqual(await repack('walked', { hooks: {} }))
    }))

  test('adds no layer where nothing is listed, or nothing that is has changed', () =>
    withStored(async ({ store, repack }) => {
      expect((await repack('none')).layer).toBeUndefined()
      store.delta = ['etc/a', 'old/']
      expect((await repack('same')).layer).toBeUndefined()
    }))

  test('looks at everything where a changed file has a name that is not listed', () =>
    withStored(async ({ store, rootfs, repack }) => {
      fs.writeFileSync(`${rootfs}/linked`, 'both')
      store.delta = ['linked']
      expect(await repack('listed')).toEqual(await repack('walked', { hooks: {} }))
    }))

  test('fails with --verify-delta where the list leaves something out, and makes no image', () =>
    withStored(async ({ store, rootfs, repack }) => {
      const changed = edit(rootfs)
      store.delta = changed.filter((path) => path !== 'etc/a')
      expect(await codeOf(repack('bad', { verifyDelta: true }))).toBe('HOOK_ANSWER_INVALID')
      store.delta = changed
      expect((await repack('good', { verifyDelta: true })).layer).toBeDefined()
    }))

  test('fails where the hook fails', () =>
    withStored(
      async ({ repack }) => {
        expect(await codeOf(repack('bad'))).toBe('HOOK_FAILED')
      },
      {
        deltaList() {
          throw new Error('no list')
        }
      }
    ))

  test('looks at everything in bundles that other hooks made', () =>
    withStored(async ({ store, rootfs, repack }) => {
      edit(rootfs)
      const others = { ...store.hooks, name: 'others' }
      expect(await repack('others', { hooks: others })).toEqual(await repack('w', { hooks: {} }))
      expect(store.calls).not.toContain('delta-list')
    }))
})

test.runIf(needs('root'))(
  'a refreshed bundle is one of the new image, of which its hooks are told last',
  () =>
    withStored(async ({ store, rootfs, repack }) => {
      const { events, onEvent } = recorder()
      store.delta = edit(rootfs)
      expect((await repack('one', { refreshBundle: true, onEvent })).layer).toBeDefined()
      expect(store.calls.at(-1)).toBe('refresh-bundle new')
      expect(events.filter(({ type }) => type === 'warning')).toEqual([])
      store.delta = []
      expect((await repack('two')).layer).toBeUndefined()
      expect((await repack('three', { hooks: {} })).layer).toBeUndefined()
    })
)

test.runIf(needs('root'))('what a storage cannot hold is told once, and is no change', () =>
  inScratch(async (work) => {
    const store = chainStore(`${work}/store`, {
      precision: 'seconds',
      xattrs: ['security'],
      finish({ layers, rootfs }) {
        ok('cp', '-a', '--no-preserve=xattr', layers.at(-1)!.target!, rootfs)
        fs.utimesSync(`${rootfs}/timed`, 1000, 1000)
      }
    })
    const pax = { mtime: '1000.5', 'SCHILY.xattr.user.note': 'lost' }
    const { events, onEvent } = recorder()
    const options = optionsFor(work, [tar(file('timed', 'x', { pax }))])
    await library.unpack({ ...options, hooks: store.hooks, onEvent })
    const bundle = options.destination
    expect(fs.statSync(`${bundle}/rootfs/timed`).mtimeMs).toBe(1_000_000)
    expect(events.filter(({ type }) => type === 'warning')).toEqual([
      expect.objectContaining({
        facts: {
          hooks: 'directories',
          expected: 'times in whole seconds; of extended attributes only security'
        }
      })
    ])
    expect(await library.diff({ bundle })).toEqual([])
    // of layers that are there already, the tree manifest is that of the first bundle
    const second = `${bundle}-second`
    await library.unpack({ ...options, destination: second, hooks: store.hooks })
    expect(await library.diff({ bundle: second })).toEqual([])
  })
)

describe.runIf(needs('root'))('what a refreshed repack has packed', () => {
  const names = ['new', 'new/file']

  test.each(['with', 'without'])(
    'is looked at again, although hooks see no trace of it, if it was packed %s them',
    (how) =>
      withStored(async ({ store, rootfs, repack }) => {
        fs.mkdirSync(`${rootfs}/new`)
        fs.writeFileSync(`${rootfs}/new/file`, 'x')
        store.delta = ['.', ...names]
        const hooks = how === 'with' ? {} : { hooks: {} }
        await repack('one', { refreshBundle: true, ...hooks })
        expect((await repack('none')).layer).toBeUndefined()
        fs.rmSync(`${rootfs}/new`, { recursive: true })
        store.delta = ['.']
        expect(await repack('two', { verifyDelta: true })).toEqual(await repack('w', { hooks: {} }))
        await repack('two', { refreshBundle: true })
        expect((await repack('none')).layer).toBeUndefined()
        const known = fs.readFileSync(`${rootfs}/../.oci-unpack/packed`, 'latin1').split('\0')
        expect(known).toEqual(expect.arrayContaining(names))
      })
  )

  test('is everything, if the list would be too long', () =>
    withStored(async ({ store, rootfs, repack }) => {
      const long = Array.from({ length: 17 }, (_none, index) => `${index}/${'x'.repeat(4_000_000)}`)
      store.delta = [...edit(rootfs), ...long]
      await repack('one', { refreshBundle: true })
      expect(fs.readFileSync(`${rootfs}/../.oci-unpack/packed`, 'latin1')).toBe('./\0')
      fs.rmSync(`${rootfs}/new`, { recursive: true })
      store.delta = []
      expect(await repack('two')).toEqual(await repack('w', { hooks: {} }))
    }))
})

test.runIf(needs('root'))('a bundle without a manifest is refused, with the reason', () =>
  withStored(
    async ({ store, rootfs, repack }) => {
      store.delta = edit(rootfs)
      await expect(repack('listed')).rejects.toMatchObject({
        code: 'BUNDLE_INVALID',
        hint: expect.stringContaining('manifest = "never"') as unknown
      })
    },
    { manifest: 'never' }
  )
)
