import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { UnpackHooks } from '../../../src/index.ts'
import { tryLock } from '../../../src/sys/lock.ts'
import { mark } from '../../../src/workspace/mark.ts'
import { library } from '../../support/dist.ts'
import { withOpen } from '../../support/open-directory.ts'
import { needs } from '../../support/requires.ts'
import { char, directory, file, hardlink, symlink, tar } from '../../support/tar-builder.ts'
import { snapshot } from '../../reference/snapshot.ts'
import { codeOf, inScratch, optionsFor, recorder } from '../support.ts'
import { chainStore } from './directory-store.ts'

const LAYERS = [
  tar(directory('etc/'), file('etc/a', 'one'), file('etc/b', 'two'), symlink('link', 'etc')),
  tar(file('link/c', 'three'), file('etc/.wh.a')),
  tar(hardlink('etc/d', 'etc/b'), file('top', 'four'))
]

const COLD = [
  'prepare',
  ...['try-skip 0', 'try-skip 1', 'try-skip 2', 'try-skip 0', 'try-skip 1', 'try-skip 2'],
  ...['pre-extract 0', 'post-extract 0', 'pre-extract 1', 'post-extract 1'],
  ...['pre-extract 2', 'post-extract 2', 'finish']
]

describe.runIf(needs('root')).each([0, 2])('a chain of states, %i threads', (jobs) => {
  test('gives the tree of a plain unpack, and a second time nothing is extracted', () =>
    inScratch(async (work) => {
      const options = { ...optionsFor(work, LAYERS), jobs }
      await library.unpack({ ...options, destination: `${work}/plain` })
      const store = chainStore(`${work}/store`)
      await library.unpack({ ...options, hooks: store.hooks })
      expect(store.calls).toEqual(COLD)
      expect(snapshot(`${work}/made/rootfs`)).toBe(snapshot(`${work}/plain/rootfs`))
      expect(fs.statSync(`${work}/made`).mode & 0o7777).toBe(0o700)

      store.calls.length = 0
      const { events, onEvent } = recorder()
      await library.unpack({ ...options, hooks: store.hooks, destination: `${work}/warm`, onEvent })
      expect(store.calls).toEqual([
        ...['prepare', 'try-skip 0', 'try-skip 1', 'try-skip 2', 'finish']
      ])
      expect(events.filter(({ type }) => type === 'layer' || type === 'progress')).toEqual([])
      expect(snapshot(`${work}/warm/rootfs`)).toBe(snapshot(`${work}/plain/rootfs`))
    }))

  test('extracts only what is above the highest state that is there', () =>
    inScratch(async (work) => {
      const options = { ...optionsFor(work, LAYERS), jobs }
      await library.unpack({ ...options, destination: `${work}/plain` })
      const below = chainStore(`${work}/store`)
      const lower = { ...optionsFor(work, LAYERS.slice(0, 2)), jobs }
      await library.unpack({ ...lower, hooks: below.hooks, destination: `${work}/lower` })
      const store = chainStore(`${work}/store`)
      const again = { ...optionsFor(work, LAYERS), jobs }
      await library.unpack({ ...again, hooks: store.hooks })
      expect(store.calls.filter((call) => call.startsWith('pre-'))).toEqual(['pre-extract 2'])
      expect(snapshot(`${work}/made/rootfs`)).toBe(snapshot(`${work}/plain/rootfs`))
    }))
})

test.runIf(needs('root'))(
  'a directory that an upper layer fills and does not describe keeps what it has',
  () =>
    inScratch(async (work) => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
      const layers = [
        tar(directory('d/', { mode: 0o2711, uid: 7, gid: 9, mtime: 5 })),
        tar(...names.map((name) => file(`d/${name}`, name)))
      ]
      const options = optionsFor(work, layers)
      await library.unpack({ ...options, hooks: chainStore(`${work}/store`).hooks })
      const { mode, uid, gid, mtimeMs } = fs.statSync(`${work}/made/rootfs/d`)
      expect([mode & 0o7777, uid, gid, mtimeMs]).toEqual([0o2711, 7, 9, 5000])
    })
)

test('without stores hooks observe, and the tree is the engine’s own', () =>
  inScratch(async (work) => {
    const calls: string[] = []
    const hooks: UnpackHooks = {
      trySkip: ({ index }) => (calls.push(`try-skip ${index}`), 'decline'),
      preExtract: ({ index }) => void calls.push(`pre-extract ${index}`),
      postExtract: ({ index }) => void calls.push(`post-extract ${index}`),
      finish: ({ rootfs }) => void calls.push(`finish ${fs.existsSync(`${rootfs}/top`)}`)
    }
    await library.unpack({ ...optionsFor(work, LAYERS), hooks })
    expect(calls.slice(3)).toEqual([
      ...['pre-extract 0', 'pre-extract 1', 'pre-extract 2'],
      ...['post-extract 0', 'post-extract 1', 'post-extract 2', 'finish true']
    ])
    expect(fs.readFileSync(`${work}/made/rootfs/etc/c`, 'utf8')).toBe('three')
  }))

test('the runtime configuration is what its hook makes of it', () =>
  inScratch(async (work) => {
    const runtimeConfig: UnpackHooks['runtimeConfig'] = ({ runtimeConfig }) => ({
      config: { ...runtimeConfig, hostname: 'hooked' }
    })
    await library.unpack({ ...optionsFor(work, LAYERS), hooks: { runtimeConfig } })
    const text = fs.readFileSync(`${work}/made/config.json`, 'utf8')
    expect(JSON.parse(text)).toMatchObject({ hostname: 'hooked', root: { path: 'rootfs' } })
  }))

describe.runIf(needs('root'))(
  'a failure leaves nothing of the bundle and tells abort what was staged',
  () => {
    const thrown = (): never => {
      throw new Error('the store is broken')
    }
    const linked: UnpackHooks['finish'] = ({ layers, rootfs }) => {
      fs.symlinkSync(layers.at(-1)!.target!, rootfs)
      return undefined
    }
    const elsewhere = '/nonexistent/layer'
    test.each<[string, Partial<UnpackHooks>, string, number]>([
      ['prepare fails', { prepare: thrown }, 'HOOK_FAILED', 0],
      ['a skip that lies', { trySkip: () => ({ target: elsewhere }) }, 'HOOK_ANSWER_INVALID', 0],
      [
        'a target that is not there',
        { preExtract: () => ({ target: elsewhere }) },
        'HOOK_ANSWER_INVALID',
        1
      ],
      ['post-extract fails', { postExtract: thrown }, 'HOOK_FAILED', 1],
      [
        'a commit to nowhere',
        { postExtract: () => ({ target: elsewhere }) },
        'HOOK_ANSWER_INVALID',
        1
      ],
      ['finish fails', { finish: thrown }, 'HOOK_FAILED', 0],
      ['finish does nothing', { finish: () => undefined }, 'HOOK_ANSWER_INVALID', 0],
      ['finish makes a link', { finish: linked }, 'HOOK_ANSWER_INVALID', 0],
      [
        'a configuration of nothing',
        { runtimeConfig: () => ({ config: {} }) },
        'HOOK_ANSWER_INVALID',
        0
      ]
    ])('%s', (_case, more, code, staged) =>
      inScratch(async (work) => {
        const store = chainStore(`${work}/store`, more)
        const options = { ...optionsFor(work, LAYERS), hooks: store.hooks }
        expect(await codeOf(library.unpack(options))).toBe(code)
        expect(fs.existsSync(`${work}/made`)).toBe(false)
        expect(store.calls.at(-1)).toBe('abort')
        expect(store.aborted).toHaveLength(staged)
      })
    )

    test('a target in the directory of another layer', () =>
      inScratch(async (work) => {
        const store = chainStore(`${work}/store`)
        const plain = store.hooks
        const within = (parent: string): string => `${store.path}/states/${parent.slice(7)}/etc`
        const inside: NonNullable<UnpackHooks['preExtract']> = (layer, call) =>
          layer.parentChainId === undefined
            ? plain.preExtract!(layer, call)
            : { target: within(layer.parentChainId) }
        const options = optionsFor(work, LAYERS)
        const failing = library.unpack({
          ...options,
          hooks: { ...store.hooks, preExtract: inside }
        })
        expect(await codeOf(failing)).toBe('HOOK_ANSWER_INVALID')
        expect(fs.readdirSync(`${store.path}/states/`)).toHaveLength(1)
      }))
  }
)

describe('the place of the bundle', () => {
  test('keeps what else is there, also after a failure', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, LAYERS)
      fs.mkdirSync(`${work}/made`)
      fs.writeFileSync(`${work}/made/mine`, '')
      const finish = (): never => {
        throw new Error('no')
      }
      expect(await codeOf(library.unpack({ ...options, hooks: { finish } }))).toBe('HOOK_FAILED')
      expect(fs.readdirSync(`${work}/made`)).toEqual(['mine'])
      await library.unpack({ ...options, hooks: {} })
      expect(fs.readdirSync(`${work}/made`)).toContain('umoci.json')
    }))

  test('is taken over from a process that died, whose hooks are told to undo', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, LAYERS)
      fs.mkdirSync(`${work}/made/.oci-unpack`, { recursive: true })
      fs.writeFileSync(`${work}/made/.oci-unpack/unfinished`, 'sha256:0')
      fs.mkdirSync(`${work}/made/rootfs`)
      fs.writeFileSync(`${work}/made/rootfs/half`, '')
      let aborted = 0
      const { events, onEvent } = recorder()
      await library.unpack({ ...options, hooks: { abort: () => void (aborted += 1) }, onEvent })
      expect(aborted).toBe(1)
      expect(events).toContainEqual({ type: 'leftover', path: `${work}/made`, undone: false })
      expect(fs.existsSync(`${work}/made/rootfs/half`)).toBe(false)
      expect(fs.readdirSync(`${work}/made/.oci-unpack`)).toEqual(['hooks.json'])
    }))

  test.runIf(needs('root'))('is cleared of the unfinished work of a process that died', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, LAYERS)
      fs.mkdirSync(`${work}/made/.oci-unpack-0123456789ab/layers`, { recursive: true })
      withOpen(`${work}/made/.oci-unpack-0123456789ab`, mark)
      await library.unpack({ ...options, hooks: chainStore(`${work}/store`).hooks })
      expect(fs.readdirSync(`${work}/made`)).not.toContain('.oci-unpack-0123456789ab')
    })
  )

  test.runIf(needs('root'))(
    'that another process holds is refused before any hook is asked, and keeps its mode',
    () =>
      inScratch(async (work) => {
        fs.mkdirSync(`${work}/made`)
        fs.chmodSync(`${work}/made`, 0o755)
        const { hooks, calls } = chainStore(`${work}/store`)
        const holder = fs.openSync(`${work}/made`, 'r')
        try {
          expect(tryLock(holder, 'exclusive')).toBe(true)
          const options = { ...optionsFor(work, LAYERS), hooks }
          expect(await codeOf(library.unpack(options))).toBe('BUNDLE_EXISTS')
        } finally {
          fs.closeSync(holder)
        }
        expect(calls).toEqual([])
        expect(fs.readdirSync(`${work}/made`)).toEqual([])
        expect(fs.statSync(`${work}/made`).mode & 0o7777).toBe(0o755)
      })
  )

  test('that has a bundle is refused', () =>
    inScratch(async (work) => {
      const options = { ...optionsFor(work, LAYERS), hooks: {} }
      await library.unpack(options)
      expect(await codeOf(library.unpack(options))).toBe('BUNDLE_EXISTS')
      expect(fs.existsSync(`${work}/made/rootfs/top`)).toBe(true)
    }))
})

test.each([
  { keepDirlinks: true },
  { uidMap: [{ containerId: 0, hostId: 1000, size: 10 }] },
  { rootless: true }
])('layers that would depend on more than their chain are not put into a store: %j', (more) =>
  inScratch(async (work) => {
    const store = chainStore(`${work}/store`)
    const options = { ...optionsFor(work, LAYERS), hooks: store.hooks, ...more }
    expect(await codeOf(library.unpack(options))).toBe('USAGE')
    expect(store.calls).toEqual([])
  })
)

test('a set that keeps rootless layers apart gets them, is told, and its bundles remember what they lack', () =>
  inScratch(async (work) => {
    const layers = [tar(directory('etc/'), char('etc/null', 1, 3), file('etc/a', 'x', { uid: 9 }))]
    const options = { ...optionsFor(work, layers), rootless: true, uidMap: [], gidMap: [] }
    await library.unpack({ ...options, destination: `${work}/plain` })
    const store = chainStore(`${work}/store`)
    const told: boolean[] = []
    const hooks: UnpackHooks = {
      ...store.hooks,
      rootless: true,
      prepare(context, call) {
        told.push(context.rootless)
        return store.hooks.prepare!(context, call)
      }
    }
    for (const name of ['cold', 'warm'])
      await library.unpack({ ...options, hooks, destination: `${work}/${name}` })
    expect(told).toEqual([true, true])
    expect(store.calls.filter((call) => call.startsWith('pre-'))).toEqual(['pre-extract 0'])
    for (const name of ['cold', 'warm']) {
      expect(snapshot(`${work}/${name}/rootfs`)).toBe(snapshot(`${work}/plain/rootfs`))
      expect(unheld(`${work}/${name}`)).toEqual(unheld(`${work}/plain`))
    }
    expect(unheld(`${work}/plain`)).toEqual([
      ['etc/null', { type: 'char', devMajor: 1, devMinor: 3 }]
    ])
  }))

test('a bundle says what it does not know, if layers without privileges were there already', () =>
  inScratch(async (work) => {
    const lower = tar(directory('etc/'), char('etc/null', 1, 3))
    const store = chainStore(`${work}/store`)
    const hooks: UnpackHooks = { ...store.hooks, rootless: true }
    const unpackAs = async (name: string, layers: Buffer[]): Promise<string[]> => {
      const { events, onEvent } = recorder()
      const options = { ...optionsFor(`${work}/${name}`, layers), rootless: true, hooks, onEvent }
      await library.unpack({ ...options, uidMap: [], gidMap: [] })
      return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
    }
    const derived = [lower, tar(file('new', 'x'))]
    expect(await unpackAs('first', [lower])).toEqual([expect.stringContaining('A repack restores')])
    expect(await unpackAs('again', [lower])).toEqual([])
    expect(await unpackAs('derived', derived)).toEqual([
      expect.stringContaining('Some layers were extracted before')
    ])
  }))

/** What a bundle remembers of its image, by path. */
function unheld(bundle: string): unknown {
  const name = fs.readdirSync(bundle).find((file) => file.endsWith('.unheld'))!
  const { objects } = JSON.parse(fs.readFileSync(`${bundle}/${name}`, 'utf8')) as {
    objects: { path: string; unheld: object }[]
  }
  return objects.map(({ path, unheld }) => [path, unheld])
}
