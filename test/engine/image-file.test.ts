/** Files of images at any offset: every form of layer, what is read for it, and what is wrong with blobs and indexes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  imageFileStream,
  openImageFile as openWithThreads,
  type EngineEvent,
  type ImageFile,
  type ImageFileOptions
} from '../../src/index.ts'
import { blobPath, buildImage, type Image, type Layer } from '../support/image-builder.ts'
import { noise } from '../support/noise.ts'
import { needs } from '../support/requires.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { codeOf, inScratch } from './support.ts'

/** Threads need the built program. */
const openImageFile: typeof openWithThreads = (options) => openWithThreads({ jobs: 0, ...options })

const MIB = 2 ** 20
const ZEROS = { start: 9 * MIB, end: 13 * MIB }
/** The spans of an index are about 4 MiB. */
const disk = diskOf(18 * MIB)
const around = [directory('disk'), file('before', noise(2 * MIB, 'before'))]
const plain = tar(...around, file('disk/disk.img', disk), file('after', noise(70_000, 'after')))
/** Blocks in it have codes, and refer to what is before them. */
const packed: Layer = { tar: plain, blob: gzipSync(plain, { level: 1 }) }

const FORMS: [string, () => Layer][] = [
  ['an uncompressed layer', () => ({ tar: plain, blob: plain, mediaType: mediaType('tar') })],
  ['one gzip member', () => packed],
  ['gzip without compression', () => ({ tar: plain, blob: gzipSync(plain, { level: 0 }) })],
  [
    'a gzip member for each MB',
    () => ({ tar: plain, blob: inParts(plain, (it) => gzipSync(it, { level: 1 })) })
  ],
  ...(needs('zstd')
    ? ([
        ['one zstd frame', () => zstd((it) => compressZstd(it))],
        ['a zstd frame for each MB', () => zstd((it) => inParts(it, compressZstd))]
      ] satisfies typeof FORMS)
    : [])
]

describe.each(FORMS)('%s', (_name, layer) => {
  const work = makeTemporary()
  let opened: ImageFile
  let options: ImageFileOptions
  beforeAll(async () => {
    const { reference } = buildImage(join(work, 'layout'), { layers: [layer()] })
    options = { image: reference, path: 'disk/disk.img', index: join(work, 'index') }
    opened = await openImageFile(options)
  })
  afterAll(async () => {
    await opened.close()
    removeTemporary(work)
  })

  test('reads anything, several at once', async () => {
    expect(opened.size).toBe(disk.length)
    const ranges = [0, 1, 511, 4 * MIB - 3, 7 * MIB, 13 * MIB + 17, disk.length - 70_000].map(
      (offset) => [offset, Math.min(70_000, disk.length - offset)] as const
    )
    const read = await Promise.all(ranges.map(([offset, length]) => part(opened, offset, length)))
    for (const [index, [offset, length]] of ranges.entries())
      expect(read[index]!.equals(disk.subarray(offset, offset + length))).toBe(true)
  })

  test('a hundred readers at once get what they ask for', async () => {
    const offsets = Array.from({ length: 100 }, (_, at) => (at * 7919 * 4099) % (disk.length - 999))
    const read = await Promise.all(offsets.map((offset) => part(opened, offset, 999)))
    for (const [index, offset] of offsets.entries())
      expect(read[index]!.equals(disk.subarray(offset, offset + 999))).toBe(true)
  })

  test('reads in order, backwards, and as a stream', async () => {
    for (let offset = disk.length - 5 * MIB; offset > 0; offset -= 5 * MIB)
      expect(sha256(await part(opened, offset, 5 * MIB))).toBe(
        sha256(disk.subarray(offset, offset + 5 * MIB))
      )
    expect(sha256(await buffer(imageFileStream(opened)))).toBe(sha256(disk))
    const some = await buffer(imageFileStream(opened, { start: 3, end: 5_000_000 }))
    expect(some.equals(disk.subarray(3, 5_000_000))).toBe(true)
  })

  test('tells where only zeros are', async () => {
    const extents = await opened.extents(0, disk.length)
    expect(extents.some(({ hole }) => hole)).toBe(true)
    let at = 0
    for (const { length, hole } of extents) {
      if (hole) expect(disk.subarray(at, at + length).equals(Buffer.alloc(length))).toBe(true)
      at += length
    }
    expect(at).toBe(disk.length)
    expect(extents.every(({ hole }, index) => hole !== extents[index + 1]?.hole)).toBe(true)
    const [inZeros] = await opened.extents(ZEROS.start + 5000, 10_000)
    expect(inZeros).toEqual({ length: 10_000, hole: true })
  })

  test('opens again with the index, without reading the layer', async () => {
    const events: EngineEvent[] = []
    const again = await openImageFile({ ...options, onEvent: (event) => void events.push(event) })
    expect(events.some(({ type }) => type === 'layer')).toBe(false)
    expect((await part(again, 100, 10)).equals(disk.subarray(100, 110))).toBe(true)
    await again.close()
  })

  test('the index is private, and small', () => {
    const index = join(work, 'index')
    expect(readdirSync(index)).toHaveLength(1)
    const { mode, size } = statSync(join(index, readdirSync(index)[0]!))
    expect(mode & 0o777).toBe(0o600)
    expect(size).toBeLessThan(plain.length / 100)
  })
})

describe('the file that is read', () => {
  test('links are followed, upper layers win, and sparse files have holes', async () => {
    const sparse = {
      pax: {
        'GNU.sparse.major': '0',
        'GNU.sparse.minor': '1',
        'GNU.sparse.name': 'sparse',
        'GNU.sparse.size': '300000',
        'GNU.sparse.map': '1000,3,200000,4'
      }
    }
    const layers = [
      tar(file('a', 'old'), hardlink('b', 'a'), symlink('l', '/b')),
      tar(file('a', 'new'), file('sparse', 'onefour'.slice(0, 7), sparse))
    ]
    await withFile({ layers }, 'l', async (opened) =>
      expect((await part(opened, 0, 3)).toString()).toBe('old')
    )
    await withFile({ layers }, 'a', async (opened) =>
      expect((await part(opened, 0, 3)).toString()).toBe('new')
    )
    await withFile({ layers }, '/sparse', async (opened) => {
      const expected = Buffer.alloc(300_000)
      expected.write('one', 1000)
      expected.write('four', 200_000)
      expect(opened.size).toBe(300_000)
      expect((await part(opened, 0, 300_000)).equals(expected)).toBe(true)
      expect(await opened.extents(999, 250_000)).toEqual([
        { length: 1, hole: true },
        { length: 3, hole: false },
        { length: 198_997, hole: true },
        { length: 4, hole: false },
        { length: 50_995, hole: true }
      ])
    })
  })

  test('must be a regular file, and reads must be within it', async () => {
    const layers = [tar(directory('d'), file('empty'), file('x', 'abc'))]
    await inScratch(async (work) => {
      const { reference } = buildImage(join(work, 'layout'), { layers })
      const options = { image: reference, index: join(work, 'index') }
      expect(await codeOf(openImageFile({ ...options, path: 'd' }))).toBe('PATH_INVALID')
      expect(await codeOf(openImageFile({ ...options, path: 'y' }))).toBe('PATH_NOT_FOUND')
      expect(await codeOf(openImageFile({ ...options, path: '' }))).toBe('USAGE')
      const index = 5 as unknown as string
      expect(await codeOf(openImageFile({ ...options, path: 'x', index }))).toBe('USAGE')
      const empty = await openImageFile({ ...options, path: 'empty' })
      expect(empty.size).toBe(0)
      expect(await empty.extents(0, 0)).toEqual([])
      await empty.read(Buffer.alloc(0), 0)
      await empty.close()
      const opened = await openImageFile({ ...options, path: 'x' })
      expect(await codeOf(opened.read(Buffer.alloc(2), 2))).toBe('USAGE')
      expect(await codeOf(opened.read(Buffer.alloc(2), -1))).toBe('USAGE')
      expect(await codeOf(opened.extents(0, 4))).toBe('USAGE')
      for (const range of [{ start: 2, end: 1 }, { start: NaN }, { start: -1 }, { end: 4 }])
        expect(await codeOf(buffer(imageFileStream(opened, range)))).toBe('USAGE')
      const nothing = await buffer(imageFileStream(opened, { start: 3 }))
      expect(nothing).toEqual(Buffer.alloc(0))
      const last = part(opened, 0, 3)
      await Promise.all([opened.close(), opened.close()])
      expect((await last).toString()).toBe('abc')
      expect(await codeOf(opened.read(Buffer.alloc(1), 0))).toBe('USAGE')
    })
  })
})

describe('what is wrong is an error, and never wrong bytes', () => {
  const image: Image = { layers: [packed] }

  test('a blob that is damaged before it has an index', async () => {
    await inScratch(async (work) => {
      const { reference, layout, layers } = buildImage(join(work, 'layout'), image)
      damage(blobPath(layout, layers[0]!), 1_000_000)
      const opening = openImageFile({ image: reference, path: 'disk/disk.img', index: `${work}/i` })
      expect(await codeOf(opening)).toBe('BLOB_DIGEST_MISMATCH')
      expect(readdirSync(`${work}/i`)).toEqual([])
    })
  })

  test('a blob that is damaged, or cut, after that', async () => {
    await inScratch(async (work) => {
      const { reference, layout, layers } = buildImage(join(work, 'layout'), image)
      const options = { image: reference, path: 'disk/disk.img', index: `${work}/i` }
      await (await openImageFile(options)).close()
      const blob = blobPath(layout, layers[0]!)
      damage(blob, statSync(blob).size - 1_000_000)
      const opened = await openImageFile(options)
      expect(sha256(await part(opened, 0, MIB))).toBe(sha256(disk.subarray(0, MIB)))
      expect(await wrongParts(opened)).toEqual(['INDEX_INVALID'])
      await opened.close()
      writeFileSync(blob, readFileSync(blob).subarray(0, 2_000_000))
      const cut = await openImageFile(options)
      expect(await wrongParts(cut)).toEqual(['INDEX_INVALID'])
      await cut.close()
    })
  })

  test.each<[string, (index: Buffer) => Buffer]>([
    ['cut off', (index) => index.subarray(0, -1)],
    ['empty', () => Buffer.alloc(0)],
    ['something else', () => noise(100_000, 'else')],
    ['damaged in its table', (index) => flipped(index, index.length - 700)],
    ['damaged in its entries', (index) => flipped(index, entriesOf(index).offset + 20)]
  ])('an index that is %s', async (_name, change) => {
    await withIndex(image, async (options, path) => {
      writeFileSync(path, change(readFileSync(path)))
      expect(await codeOf(openImageFile(options))).toBe('INDEX_INVALID')
    })
  })

  test('the index of another blob', async () => {
    await withIndex(image, async (options, path) => {
      const other = buildImage(`${options.index!}-other`, {
        layers: [{ tar: tar(file('x', 'y')) }]
      })
      await (await openImageFile({ ...options, image: other.reference, path: 'x' })).close()
      writeFileSync(path, readFileSync(path.replace(/[^/]*$/, nameOf(other.layers[0]!.digest))))
      expect(await codeOf(openImageFile(options))).toBe('INDEX_INVALID')
    })
  })

  test.each<[string, (table: Table) => void]>([
    ['restarts one bit off', ({ bits }) => bits(1, (it) => it + 1)],
    ['restarts of another span', ({ bits }) => bits(1, (it) => it - 80_000)],
    ['spans that begin elsewhere', ({ start }) => start(1, (it) => it + 512)],
    ['windows of another span', ({ window }) => window(1, 4)],
    ['windows that are not deflated', ({ windowOffset }) => windowOffset(1, 40)]
  ])('an index with a right checksum, and %s', async (_name, forge) => {
    await withIndex(image, async (options, path) => {
      writeFileSync(path, forged(readFileSync(path), forge))
      const opened = await openImageFile(options)
      expect(await wrongParts(opened)).toContain('INDEX_INVALID')
      await opened.close()
    })
  })

  test('an index that others may write to is not used, and a directory where they may is refused', async () => {
    await withIndex(image, async (options, path) => {
      writeFileSync(path, 'theirs')
      chmodSync(path, 0o666)
      await (await openImageFile(options)).close()
      expect(statSync(path).mode & 0o777).toBe(0o600)
      mkdirSync(`${options.index!}-open`)
      chmodSync(`${options.index!}-open`, 0o777)
      const opening = openImageFile({ ...options, index: `${options.index!}-open` })
      expect(await codeOf(opening)).toBe('INDEX_INVALID')
    })
  })
})

async function withFile(
  image: Image,
  path: string,
  act: (opened: ImageFile) => Promise<void>
): Promise<void> {
  await inScratch(async (work) => {
    const { reference } = buildImage(join(work, 'layout'), image)
    const opened = await openImageFile({ image: reference, path, index: join(work, 'index') })
    try {
      await act(opened)
    } finally {
      await opened.close()
    }
  })
}

/** With an index that was made already. */
async function withIndex(
  image: Image,
  act: (options: ImageFileOptions, index: string) => Promise<void>
): Promise<void> {
  await inScratch(async (work) => {
    const { reference, layers } = buildImage(join(work, 'layout'), image)
    const options = { image: reference, path: 'disk/disk.img', index: join(work, 'index') }
    await (await openImageFile(options)).close()
    await act(options, join(work, 'index', nameOf(layers[0]!.digest)))
  })
}

function nameOf(digest: string): string {
  return digest.replace(':', '-')
}

async function part(opened: ImageFile, offset: number, length: number): Promise<Buffer> {
  const target = Buffer.alloc(length, 0xaa)
  await opened.read(target, offset)
  return target
}

/** The codes of what fails; what does not is compared. */
async function wrongParts(opened: ImageFile): Promise<string[]> {
  const codes = new Set<string>()
  for (let offset = 0; offset < disk.length; offset += MIB) {
    const target = Buffer.alloc(MIB)
    const code = await codeOf(opened.read(target, offset))
    if (code === 'no failure') expect(target.equals(disk.subarray(offset, offset + MIB))).toBe(true)
    else codes.add(code)
  }
  return [...codes]
}

function damage(path: string, at: number): void {
  writeFileSync(path, flipped(readFileSync(path), at))
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 4
  return copy
}

const FOOTER = 48
const SPAN = 64

interface Header {
  runsBytes: number
  spansBytes: number
  entries: { offset: number; length: number }[]
}

function entriesOf(index: Buffer): { offset: number; length: number } {
  return tailOf(index).header.entries[0]!
}

function tailOf(index: Buffer): { start: number; end: number; header: Header } {
  const end = index.length - FOOTER
  const start = end - index.readUInt32LE(end + 4)
  const header = index.toString('utf8', start + index.readUInt32LE(end), end)
  return { start, end, header: JSON.parse(header) as Header }
}

/** Changes to the table of an index, whose checksum is made right again. */
interface Table {
  start: (span: number, change: (value: number) => number) => void
  bits: (span: number, change: (value: number) => number) => void
  window: (span: number, from: number) => void
  windowOffset: (span: number, offset: number) => void
}

function forged(index: Buffer, forge: (table: Table) => void): Buffer {
  const copy = Buffer.from(index)
  const { start, end, header } = tailOf(copy)
  const at = (span: number): number => start + header.runsBytes + SPAN * span
  const change = (place: number, by: (value: number) => number): void =>
    void copy.writeDoubleLE(by(copy.readDoubleLE(place)), place)
  forge({
    start: (span, by) => change(at(span), by),
    bits: (span, by) => change(at(span) + 40, by),
    window: (span, from) => void copy.copy(copy, at(span) + 48, at(from) + 48, at(from) + 60),
    windowOffset: (span, offset) => void copy.writeDoubleLE(offset, at(span) + 48)
  })
  const checksum = createHash('sha256').update(copy.subarray(start, end)).digest()
  checksum.copy(copy, end + 8)
  return copy
}

/** Noise, text, and zeros in the middle. */
function diskOf(size: number): Buffer {
  const content = Buffer.alloc(size)
  const text = 'a line of text that compresses well\n'
  for (let at = 0; at < size; at += MIB) {
    if (at >= ZEROS.start && at < ZEROS.end) continue
    noise(MIB / 2, String(at)).copy(content, at)
    content.fill(text, at + MIB / 2, at + MIB)
  }
  return content
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function mediaType(suffix: string): string {
  return `application/vnd.oci.image.layer.v1.${suffix}`
}

function inParts(bytes: Buffer, compress: (part: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += MIB + 11)
    parts.push(compress(bytes.subarray(at, at + MIB + 11)))
  return Buffer.concat(parts)
}

function zstd(compress: (tar: Buffer) => Buffer): Layer {
  return { tar: plain, blob: compress(plain), mediaType: mediaType('tar+zstd') }
}

function compressZstd(bytes: Buffer): Buffer {
  return execFileSync('zstd', ['-q', '-1', '-c'], { input: bytes, maxBuffer: 1 << 28 })
}

describe.skipIf(!needs('root', 'mounts'))('a cache on a disk that is full', () => {
  const work = makeTemporary()
  const cache = join(work, 'cache')
  afterAll(() => removeTemporary(work))

  test('is left for a temporary index, unless it was asked for', async () => {
    const other = tar(file('other', disk))
    const upper = { tar: other, blob: gzipSync(other, { level: 1 }) }
    const { reference: image } = buildImage(join(work, 'layout'), { layers: [packed, upper] })
    const before = process.env['XDG_CACHE_HOME']
    const warnings: EngineEvent[] = []
    mkdirSync(cache)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', cache])
    try {
      process.env['XDG_CACHE_HOME'] = cache
      // both layers at once
      const options = { image, path: 'disk/disk.img', keepDirlinks: true }
      const onEvent = (event: EngineEvent): void => {
        if (event.type === 'warning') warnings.push(event)
      }
      const opened = await openImageFile({ ...options, onEvent })
      const content = await buffer(imageFileStream(opened))
      await opened.close()
      expect(content.equals(disk)).toBe(true)
      expect(warnings).toHaveLength(1)
      expect(JSON.stringify(warnings)).toContain('no space left')
      const index = join(cache, 'mine')
      expect(await codeOf(openImageFile({ ...options, index }))).toBe('SYSCALL_FAILED')
      expect(await codeOf(openImageFile({ ...options, index: '' }))).toBe('USAGE')
      expect(readdirSync(join(cache, 'oci-unpack/indexes'))).toEqual([])
    } finally {
      if (before === undefined) delete process.env['XDG_CACHE_HOME']
      else process.env['XDG_CACHE_HOME'] = before
      execFileSync('umount', [cache])
    }
  })
})
