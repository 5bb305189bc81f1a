/** Images of layers in a directory where containerd looks for them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineEvent } from '../../src/index.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { mountNew } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { directory, file, hardlink, tar, type Entry } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const BASE: Entry[] = [
  directory('d', { mode: 0o750 }),
  file('d/gone', 'gone'),
  file('d/kept', 'k'.repeat(300_000)),
  directory('o'),
  file('o/below', 'below')
]
const UPPER: Entry[] = [
  directory('d', { mode: 0o750 }),
  file('d/.wh.gone'),
  file('o/.wh..wh..opq'),
  file('o/above', 'above'),
  hardlink('o/again', 'o/above')
]

let work: string
let image: string
let cache: string
beforeEach(() => {
  work = makeTemporary()
  cache = `${work}/cache`
  image = buildImage(`${work}/layout`, { layers: [tar(...BASE), tar(...UPPER)] }).reference
})
afterEach(() => removeTemporary(work))

interface Device {
  name: string
  diffId: string
}

const at = (name: string): string => `${work}/${name}`

/** Images made by the library, with its warnings as text. */
async function make(name: string): Promise<{ devices: readonly Device[]; warnings: string }> {
  const warnings: unknown[] = []
  const onEvent = (event: EngineEvent): void => {
    if (event.type === 'warning') warnings.push(event)
  }
  const { images } = await library.makeErofs({
    ...{ image, cache, destination: at(name), jobs: 0 },
    onEvent
  })
  return { devices: images.devices, warnings: JSON.stringify(warnings) }
}

/** Where containerd looks for the image of a layer: `CacheBlobPath` of its internal/erofsutils. */
function entry({ diffId }: Pick<Device, 'diffId'>): string {
  const [algorithm, hex] = diffId.split(':') as [string, string]
  return `${cache}/${algorithm}/${hex.slice(0, 2)}/${hex}.erofs`
}

function entries(): string[] {
  const all = fs.readdirSync(cache, { recursive: true, withFileTypes: true })
  return all.filter((found) => !found.isDirectory()).map((found) => found.name)
}

const inode = (path: string): number => fs.statSync(path).ino

test('a cache gets the images, which later runs take from there', async () => {
  const { devices, warnings } = await make('one')
  expect(warnings).not.toContain('cache')
  for (const device of devices)
    expect(inode(entry(device))).toBe(inode(`${at('one')}/${device.name}`))
  expect(entries()).toHaveLength(2)

  const before = devices.map((device) => fs.statSync(entry(device)).mtimeMs)
  expect((await make('two')).warnings).not.toContain('cache')
  expect(devices.map((device) => inode(`${at('two')}/${device.name}`))).toEqual(
    devices.map((device) => inode(entry(device)))
  )
  expect(devices.map((device) => fs.statSync(entry(device)).mtimeMs)).toEqual(before)
  ociUnpackOk('erofs', 'make', '--image', image, at('without'))
  ok('diff', '--recursive', at('without'), at('two'))
})

const flipped = (path: string): void => {
  const bytes = fs.readFileSync(path)
  bytes[4096 + 100]! ^= 1
  fs.rmSync(path)
  fs.writeFileSync(path, bytes)
}

test.each<[string, (path: string) => void]>([
  ['another byte', flipped],
  ['no end', (path) => fs.truncateSync(path, 8192)],
  ['nothing in it', (path) => fs.truncateSync(path, 0)],
  ['only zeros', (path) => fs.writeFileSync(path, Buffer.alloc(8192))]
])('an image with %s is replaced, but not written to', async (_name, damage) => {
  const { devices } = await make('one')
  const [damaged, sound] = devices.map(entry) as [string, string]
  ok('cp', damaged, at('copy'))
  fs.rmSync(damaged)
  ok('cp', at('copy'), damaged)
  damage(damaged)
  const open = fs.openSync(damaged, 'r')
  const was = fs.readFileSync(damaged)
  const { warnings } = await make('two')
  expect(warnings.match(/damaged image/g)).toHaveLength(1)
  expect(warnings).toContain(damaged)
  expect(inode(sound)).toBe(inode(`${at('one')}/${devices[1]!.name}`))
  ok('cmp', at('copy'), damaged)
  ok('diff', '--recursive', at('one'), at('two'))
  expect(fs.readFileSync(open).equals(was)).toBe(true)
  fs.closeSync(open)
  expect(entries()).toHaveLength(2)
})

test.each<[string, (path: string) => void]>([
  ['with a hash tree', (path) => fs.writeFileSync(`${path}.dmverity`, '{"roothash":"00"}')],
  ['that is a link', linkInstead],
  ['with another UUID', writeUuid]
])('an image of another program, %s, is left alone', async (_name, change) => {
  const { devices } = await make('one')
  const path = entry(devices[0]!)
  ok('cp', path, at('copy'))
  fs.rmSync(path)
  ok('cp', at('copy'), path)
  change(path)
  const [is, was] = [fs.lstatSync(path).ino, fs.readFileSync(path)]
  const { warnings } = await make('two')
  expect(warnings).toContain('left as it is')
  expect(warnings).toContain(path)
  expect([fs.lstatSync(path).ino, fs.readFileSync(path).equals(was)]).toEqual([is, true])
  ok('diff', '--recursive', at('one'), at('two'))
})

test.runIf(process.geteuid!() !== 0)('an image that may not be read is left alone', async () => {
  const { devices } = await make('one')
  const path = entry(devices[0]!)
  ok('cp', path, at('copy'))
  fs.rmSync(path)
  ok('cp', at('copy'), path)
  fs.chmodSync(path, 0)
  expect((await make('two')).warnings).toContain('left as it is')
  ok('diff', '--recursive', at('one'), at('two'))
})

function linkInstead(path: string): void {
  fs.renameSync(path, at('moved'))
  fs.symlinkSync(at('moved'), path)
}

function writeUuid(path: string): void {
  const bytes = fs.readFileSync(path)
  bytes.fill(7, 1024 + 48, 1024 + 64)
  fs.writeFileSync(path, bytes)
}

test('a layer that lacks a hard link is not put there', async () => {
  const layers = [tar(file('f', 'content')), tar(hardlink('g', 'f'))]
  image = buildImage(at('linked'), { layers }).reference
  const { devices, warnings } = await make('one')
  expect(warnings).toContain('not put into the cache')
  expect(warnings).toContain(devices[1]!.diffId)
  expect(fs.existsSync(entry(devices[0]!))).toBe(true)
  expect(fs.existsSync(entry(devices[1]!))).toBe(false)
})

test('a layer that fails leaves no cache behind, and one that was there as it was', () => {
  const { manifest } = damagedImage()
  for (const [there, expected] of [
    [false, []],
    [true, ['other']]
  ] as const) {
    if (there) {
      fs.mkdirSync(cache)
      fs.writeFileSync(`${cache}/other`, '')
    }
    const { status } = ociUnpack('erofs', 'make', '--image', manifest, '--cache', cache, at('out'))
    expect(status).toBe(1)
    expect(fs.existsSync(cache) ? fs.readdirSync(cache) : []).toEqual(expected)
  }
})

function damagedImage(): { manifest: string } {
  const { reference } = buildImage(at('damaged'), { layers: [tar(file('f', 'x'.repeat(5000)))] })
  const blobs = `${at('damaged')}/blobs/sha256`
  const [largest] = fs
    .readdirSync(blobs)
    .toSorted((a, b) => fs.statSync(`${blobs}/${b}`).size - fs.statSync(`${blobs}/${a}`).size)
  flipByte(`${blobs}/${largest!}`)
  return { manifest: reference }
}

function flipByte(path: string): void {
  const bytes = fs.readFileSync(path)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  fs.chmodSync(path, 0o644)
  fs.writeFileSync(path, bytes)
}

test.each(['', 'images', 'images/cache'])('the cache cannot be %j', (name) => {
  const path = name === '' ? '' : at(name)
  const { status, stderr } = ociUnpack(
    ...['erofs', 'make', '--image', image, '--cache', path, at('images')]
  )
  expect(stderr).toContain('[USAGE]')
  expect(status).toBe(1)
  expect(fs.readdirSync(work)).toEqual(['layout'])
})

test('several runs at once leave whole images', async () => {
  const runs = [1, 2, 3].map(async (i) => {
    const args = ['erofs', 'make', '--image', image, '--cache', cache, at(`out-${i}`)]
    const [program, ...first] = ociUnpackCommand
    const child = spawn(program, [...first, ...args], { stdio: 'ignore' })
    const [status] = (await once(child, 'exit')) as [number]
    return status
  })
  expect(await Promise.all(runs)).toEqual([0, 0, 0])
  const { devices } = await make('after')
  expect(entries().sort()).toEqual(devices.map((device) => entry(device).split('/').at(-1)).sort())
  for (const device of devices) ok('cmp', entry(device), `${at('out-1')}/${device.name}`)
})

test.each([0.25, 0.35, 0.45])('a kill after %f s leaves whole images', async (seconds) => {
  const args = ['erofs', 'make', '--image', image, '--cache', cache, at('killed')]
  run('timeout', '--signal=KILL', String(seconds), ...ociUnpackCommand, ...args)
  const left = fs.existsSync(cache) ? entries().filter((name) => !name.startsWith('.')) : []
  const { devices, warnings } = await make('after')
  expect(warnings).not.toContain('damaged')
  const names = devices.map((device) => entry(device).split('/').at(-1)!)
  for (const name of left) expect(names).toContain(name)
  expect(entries().sort()).toEqual(names.sort())
})

describe.runIf(needs('root', 'loop', 'erofs', 'overlay', 'python3'))('with other mounts', () => {
  test('a cache on another file system gets copies', async () => {
    const memory = mountNew('tmpfs', 50)
    try {
      cache = `${memory.path}/cache`
      const { devices } = await make('one')
      for (const device of devices) ok('cmp', entry(device), `${at('one')}/${device.name}`)
      expect((await make('two')).warnings).not.toContain('cache')
      flipped(entry(devices[0]!))
      expect((await make('three')).warnings).toContain('damaged image')
      ok('diff', '--recursive', at('one'), at('three'))
      expect(entries()).toHaveLength(2)
    } finally {
      memory.release()
    }
  })

  test('a cache on a full file system gets nothing', () => {
    const memory = mountNew('tmpfs', -99)
    try {
      cache = `${memory.path}/cache`
      const layers = [tar(file('large', Buffer.alloc(4 << 20, 1)))]
      const { reference } = buildImage(at('large'), { layers })
      const { stderr } = ociUnpack(
        ...['erofs', 'make', '--image', reference, '--cache', cache, at('full')]
      )
      expect(stderr).toContain('ENOSPC')
      expect(stderr).toContain(`${cache}/sha256/`)
      expect(fs.existsSync(at('full'))).toBe(false)
      expect(entries()).toEqual([])
    } finally {
      memory.release()
    }
  })

  test('mounted one above the other, as containerd does, they are the tree of the image', async () => {
    const { devices } = await make('one')
    ociUnpackOk('raw', 'unpack', '--image', image, at('rootfs'))
    const places = devices.map((device, i) => {
      fs.mkdirSync(at(`layer-${i}`))
      ok('mount', '-t', 'erofs', '-o', 'ro,loop', entry(device), at(`layer-${i}`))
      return at(`layer-${i}`)
    })
    fs.mkdirSync(at('mnt'))
    try {
      const lower = `lowerdir=${places.toReversed().join(':')}`
      ok('mount', '-t', 'overlay', '-o', lower, 'overlay', at('mnt'))
      expect(compareTrees(at('rootfs'), at('mnt'))).toEqual([])
    } finally {
      run('umount', at('mnt'))
      for (const place of places) run('umount', place)
    }
  })
})
