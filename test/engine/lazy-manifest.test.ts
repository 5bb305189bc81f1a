/** A bundle with a lazy tree manifest is repacked as one with a full tree manifest, whatever was done to it. */
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  diff,
  repack,
  unpack,
  type DiffEntry,
  type EngineEvent,
  type UnpackOptions
} from '../../src/index.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import {
  char,
  directory,
  file,
  hardlink,
  symlink,
  tar,
  type Entry
} from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { describeEntry, readLayer } from './repack-bundle.ts'
import { chainStore } from './storage/directory-store.ts'

const CAPABILITY = '\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0'

/** Names that are replaced, removed, linked across layers, and whose body is another entry's; once for each edit. */
const lower = (at: string): Entry[] => [
  directory(`${at}/`),
  file(`${at}/f`, 'content'),
  file(`${at}/masked`, 'content'),
  file(`${at}/empty`),
  char(`${at}/null`, 1, 3),
  file(`${at}/g`, 'linked'),
  hardlink(`${at}/h`, `${at}/g`),
  file(`${at}/replaced`, 'lower'),
  file(`${at}/hidden`, 'body of kept'),
  file(`${at}/gone`, 'gone'),
  directory(`${at}/run/`),
  directory(`${at}/var/`),
  symlink(`${at}/var/run`, '../run'),
  file(`${at}/run/pid`, 'lower'),
  file(`${at}/bin`, 'capable', { pax: { 'SCHILY.xattr.security.capability': CAPABILITY } })
]
const middle = (at: string): Entry[] => [
  file(`${at}/replaced`, 'upper'),
  hardlink(`${at}/kept`, `${at}/hidden`),
  file(`${at}/.wh.gone`)
]
const upper = (at: string): Entry[] => [
  file(`${at}/.wh.hidden`),
  directory(`${at}/var/run/`),
  file(`${at}/var/run/pid`, 'upper')
]

/** Also of everything that an edit touches, so that layers are equal to the byte. */
const NOW = 1_700_000_000

/** @param at the directory that is its own */
type Edit = (at: string) => void

const EDITS: Record<string, Edit> = {
  nothing: () => undefined,
  'every ctime': (at) => {
    for (const path of files(at)) keepingTimes(path, () => undefined)
  },
  'times of files': (at) => fs.utimesSync(`${at}/f`, NOW, NOW),
  'content, at the old time': quietly('f', 'CONTENT'),
  'content, and back': (at) => {
    quietly('f', 'CONTENT')(at)
    quietly('f', 'content')(at)
  },
  'content under a mask': quietly('masked', 'CONTENT'),
  'content, of another size': quietly('f', 'something else'),
  'content of the lower layer': quietly('replaced', 'lower'),
  'the same content, in a name of an upper layer': quietly('replaced', 'upper'),
  'content of a linked file': quietly('g', 'LINKED'),
  'the same content of a linked file': quietly('h', 'linked'),
  'content of a file whose first name is gone': quietly('kept', 'BODY OF KEPT'),
  'the same content of a file whose first name is gone': quietly('kept', 'body of kept'),
  'a link that is broken and kept': (at) => {
    fs.copyFileSync(`${at}/h`, `${at}/new`)
    fs.renameSync(`${at}/new`, `${at}/h`)
  },
  'an empty file, touched': quietly('empty', ''),
  'a device, or the file in place of it, touched': (at) =>
    keepingTimes(`${at}/null`, () => undefined),
  'content behind a link to a directory': quietly('var/run/pid', 'UPPER'),
  'the same content behind a link': quietly('var/run/pid', 'upper'),
  'a file of a lower layer, with what is behind a link': quietly('run/pid', 'upper'),
  'content and mode of a file with capabilities': (at) => {
    quietly('bin', 'CAPABLE')(at)
    fs.chmodSync(`${at}/bin`, 0o711)
  },
  'mode of a file with capabilities': (at) => fs.chmodSync(`${at}/bin`, 0o711),
  'a deletion': (at) => fs.rmSync(`${at}/f`),
  'a new file': (at) => fs.writeFileSync(`${at}/gone`, 'new'),
  'a file renamed over another': (at) => fs.renameSync(`${at}/f`, `${at}/replaced`),
  'a directory instead of a link': (at) => {
    fs.rmSync(`${at}/var/run`, { recursive: true })
    fs.mkdirSync(`${at}/var/run`)
    fs.writeFileSync(`${at}/var/run/pid`, 'own')
  }
}

const WAYS: Record<string, Partial<UnpackOptions>> = {
  'as root': {},
  'rootless, with links to directories kept': { rootless: true, keepDirlinks: true }
}

/** The names that each edit changes, if any; links to directories are not kept. */
const CHANGED: Record<string, string[]> = {
  'times of files': ['modified f'],
  'content, at the old time': ['modified f'],
  'content under a mask': ['modified masked'],
  'content, of another size': ['modified f'],
  'content of the lower layer': ['modified replaced'],
  'content of a linked file': ['modified g', 'modified h'],
  'content of a file whose first name is gone': ['modified kept'],
  'a link that is broken and kept': ['modified g', 'modified h'],
  'content behind a link to a directory': ['modified var/run/pid'],
  'a file of a lower layer, with what is behind a link': ['modified run/pid'],
  'content and mode of a file with capabilities': ['modified bin'],
  'mode of a file with capabilities': ['modified bin'],
  'a deletion': ['deleted f'],
  'a new file': ['added gone'],
  'a file renamed over another': ['deleted f', 'modified replaced'],
  'a directory instead of a link': ['modified var', 'modified var/run', 'modified var/run/pid']
}

const DIRECTORIES = Object.keys(EDITS).map((_, number) => `d${number}`)
const LAYERS = [lower, middle, upper].map((make) => tar(...DIRECTORIES.flatMap(make)))

/** What there is to say about two bundles, edit by edit. */
interface Life {
  changes: DiffEntry[]
  layers: (string | undefined)[]
}

describe.runIf(needs('root')).each(Object.entries(WAYS))('unpacked %s', (_way, options) => {
  test('gives the same changes and layers as with a full tree manifest', async () => {
    await inLayout(async (work, image) => {
      const lives = []
      for (const manifest of ['full', 'lazy'] as const) {
        const destination = `${work}/${manifest}`
        await unpack({ jobs: 0, ...options, image, destination, manifest })
        ok('cp', '-a', destination, `${work}/copy`)
        lives.push([await lifeOf(work, destination), await lifeOf(work, `${work}/copy`)])
        fs.rmSync(`${work}/copy`, { recursive: true })
      }
      const [full, lazy] = lives
      if (options.keepDirlinks !== true) expect(byEdit(full![0]!)).toEqual(CHANGED)
      expect(lazy).toEqual(full)
    })
  })
})

test('states no digest and says so, and a full one is as it was', async () => {
  await inLayout(async (work, image) => {
    for (const manifest of ['full', 'lazy'] as const)
      await unpack({ jobs: 0, image, destination: `${work}/${manifest}`, manifest, rootless: true })
    const text = treeManifest(`${work}/lazy`)
    expect(text).not.toContain('sha256digest')
    expect(treeManifest(`${work}/full`).replaceAll(/[ ,]sha256digest(=\w+)?/g, '')).toBe(
      text
        .replaceAll('/lazy/', '/full/')
        .replace(dateIn(text), dateIn(treeManifest(`${work}/full`)))
    )
    expect(metadata(`${work}/lazy`)['lazy_manifest']).toEqual({
      transport: 'oci',
      path: `${work}/layout`,
      dirlink_layers: 0
    })
    expect(metadata(`${work}/full`)).not.toHaveProperty('lazy_manifest')
  })
})

test('is one of two kinds', async () => {
  const manifest = 'some' as 'full'
  await expect(
    unpack({ image: '/none', destination: '/none', manifest, jobs: 0 })
  ).rejects.toMatchObject({ code: 'USAGE', facts: { found: 'some' } })
})

describe('an image that is gone', () => {
  const suspect: Edit = quietly('d0/f', 'content')

  test('makes of what may have changed a change, with a warning', async () => {
    await inLayout(async (work, image) => {
      const bundle = `${work}/lazy`
      await unpack({ jobs: 0, image, destination: bundle, manifest: 'lazy', rootless: true })
      suspect(`${bundle}/rootfs`)
      expect(await diff({ jobs: 1, bundle })).toEqual([])
      fs.renameSync(`${work}/layout`, `${work}/moved`)
      const events: EngineEvent[] = []
      const found = await diff({ bundle, jobs: 0, onEvent: (event) => events.push(event) })
      expect(found.map(({ path }) => path)).toContain('d0/f')
      expect(events).toMatchObject([{ type: 'warning', facts: { path: `${work}/layout` } }])
      expect(JSON.stringify(events).split(`${work}/layout`)).toHaveLength(2)
      const { layer } = await repack({ jobs: 1, image: `${work}/moved:new`, bundle })
      expect(layer).toBeUndefined()
    })
  })

  test('is a failure if it is there, and damaged', async () => {
    await inLayout(async (work, image, [first]) => {
      const bundle = `${work}/lazy`
      await unpack({ jobs: 0, image, destination: bundle, manifest: 'lazy', rootless: true })
      suspect(`${bundle}/rootfs`)
      const blob = `${work}/layout/blobs/${first!.replace(':', '/')}`
      const bytes = fs.readFileSync(blob)
      fs.writeFileSync(blob, bytes.fill(0, 20))
      await expect(diff({ jobs: 1, bundle })).rejects.toMatchObject({
        code: 'BLOB_DIGEST_MISMATCH'
      })
      fs.rmSync(blob)
      const { layer } = await repack({ jobs: 1, image: `${work}/layout:new`, bundle })
      expect(layer).toBeDefined()
    })
  })
})

test.runIf(needs('root'))('hooks that keep layers share a lazy tree manifest', async () => {
  await inLayout(async (work, image) => {
    const { hooks } = chainStore(`${work}/store`)
    process.env['XDG_CACHE_HOME'] = `${work}/cache`
    const make = async (name: string, manifest: 'full' | 'lazy'): Promise<string> => {
      const destination = `${work}/${name}`
      await unpack({ jobs: 0, image, destination, manifest, hooks })
      return treeManifest(destination)
    }
    const lazy = await make('first', 'lazy')
    expect(lazy).not.toContain('sha256digest')
    expect(await make('second', 'lazy')).toBe(lazy)
    const full = await make('third', 'full')
    expect(full).toContain('sha256digest')
    expect(await make('fourth', 'lazy')).toBe(full)
  })
})

test.runIf(needs('root'))('hooks that list changes list too much without harm', async () => {
  await inLayout(async (work, image) => {
    const store = chainStore(`${work}/store`)
    const { hooks } = store
    process.env['XDG_CACHE_HOME'] = `${work}/cache`
    const bundle = `${work}/listed`
    await unpack({ image, destination: bundle, manifest: 'lazy', hooks, jobs: 0 })
    quietly('d0/f', 'content')(`${bundle}/rootfs`)
    quietly('d1/f', 'CONTENT')(`${bundle}/rootfs`)
    store.delta.push('d0/f', 'd1/f', 'd2/kept', 'd3/empty')
    const again = { hooks, refreshBundle: true }
    const { layer } = await repack({ image: `${work}/layout:new`, bundle, jobs: 1, ...again })
    expect(readLayer(`${work}/layout`, layer!.digest).map(describeEntry)).toEqual(['file d1/f'])
    expect(await repackIn(work, bundle, again)).toBeUndefined()
    quietly('d2/kept', 'BODY OF KEPT')(`${bundle}/rootfs`)
    expect(await repackIn(work, bundle, again)).toBeDefined()
  })
})

/** Edits, a repack that leaves something out and refreshes the bundle, and another after all files were touched. */
async function lifeOf(work: string, bundle: string): Promise<Life> {
  const rootfs = `${bundle}/rootfs`
  for (const [number, edit] of Object.values(EDITS).entries()) edit(`${rootfs}/d${number}`)
  settle(rootfs)
  const changes = await diff({ jobs: 1, bundle })
  const maskPaths = DIRECTORIES.map((at) => `/${at}/masked`)
  const first = await repackIn(work, bundle, { maskPaths, refreshBundle: true })
  for (const path of files(rootfs)) keepingTimes(path, () => undefined)
  return {
    changes: [...changes, ...(await diff({ jobs: 1, bundle }))],
    layers: [first, await repackIn(work, bundle, {})]
  }
}

/** The names that changed before the first repack and after it, by the edit that changed them. */
function byEdit({ changes }: Life): Record<string, string[]> {
  const found = Object.keys(EDITS).map((edit, number): [string, string[]] => [
    edit,
    changes
      .filter(({ path }) => path.startsWith(`d${number}/`))
      .map(({ kind, path }) => `${kind} ${path.slice(path.indexOf('/') + 1)}`)
  ])
  return Object.fromEntries(found.filter(([, names]) => names.length > 0))
}

async function repackIn(work: string, bundle: string, more: object): Promise<string | undefined> {
  const options = { image: `${work}/layout:new`, bundle, jobs: 1, sourceDateEpoch: NOW, ...more }
  return (await repack(options)).layer?.diffId
}

function quietly(name: string, content: string): Edit {
  return (rootfs) => {
    const path = `${rootfs}/${name}`
    keepingTimes(path, () => fs.writeFileSync(path, content))
  }
}

function keepingTimes(path: string, act: () => void): void {
  const { atimeMs, mtimeMs } = fs.statSync(path)
  act()
  fs.utimesSync(path, atimeMs / 1000, mtimeMs / 1000)
}

/** What was written just now was written at one time. */
function settle(rootfs: string): void {
  for (const path of [rootfs, ...objects(rootfs)])
    if (fs.lstatSync(path).mtimeMs > NOW * 1000) fs.lutimesSync(path, NOW, NOW)
}

function files(rootfs: string): string[] {
  return objects(rootfs).filter((path) => fs.lstatSync(path).isFile())
}

function objects(rootfs: string): string[] {
  return fs.readdirSync(rootfs, { recursive: true }).map((path) => `${rootfs}/${String(path)}`)
}

async function inLayout(
  act: (work: string, image: string, layers: readonly string[]) => Promise<void>
): Promise<void> {
  const work = makeTemporary()
  const { XDG_CACHE_HOME } = process.env
  try {
    const { reference, layers } = buildImage(`${work}/layout`, { layers: LAYERS })
    await act(
      work,
      reference,
      layers.map(({ digest }) => digest)
    )
  } finally {
    process.env['XDG_CACHE_HOME'] = XDG_CACHE_HOME
    removeTemporary(work)
  }
}

function treeManifest(bundle: string): string {
  const name = fs.readdirSync(bundle).find((each) => each.endsWith('.mtree'))!
  return fs.readFileSync(`${bundle}/${name}`, 'latin1')
}

function dateIn(text: string): string {
  return /#\s+date: (.*)/.exec(text)![1]!
}

function metadata(bundle: string): Record<string, unknown> {
  return JSON.parse(fs.readFileSync(`${bundle}/umoci.json`, 'utf8')) as Record<string, unknown>
}
