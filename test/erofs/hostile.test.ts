/** Images that are not what they claim to be. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OciUnpackError } from '../../src/errors.ts'
import { crc32c } from '../../src/erofs/crc32c.ts'
import { ErofsImage } from '../../src/erofs/read-image.ts'
import { walkImage } from '../../src/erofs/read-tree.ts'
import { buildLayer, fileMember, staged } from '../support/erofs-image.ts'
import { buildImage } from '../support/erofs-merge.ts'
import { device, readAll } from '../support/erofs-read.ts'
import { failure } from '../support/failure.ts'

const { image: sound } = buildLayer([
  {
    entry: staged('directory', 'd', {
      xattrs: [
        ['user.a', 'value'],
        ['user.b', 'other']
      ]
    })
  },
  { entry: staged('directory', 'd/e') },
  fileMember('d/f', Buffer.alloc(5000, 1)),
  fileMember('d/g', Buffer.from('g')),
  { entry: staged('hardlink', 'h', { link: 'd/f' }) },
  { entry: staged('symlink', 'l', { link: 'target' }) },
  { entry: staged('fifo', 'p') },
  ...Array.from({ length: 200 }, (_, i) => ({ entry: staged('fifo', `many/name-${1000 + i}`) }))
])

/** Where the record of the inode at a path begins. */
function record(path: string): number {
  const image = new ErofsImage([device(sound)])
  for (const visited of walkImage(image))
    if (visited.path === path) return image.superblock.inodeArea * 4096 + visited.inode.nid * 32
  throw new Error(`no ${path}`)
}

/** Where the entry of a name is, in the tail of the directory at a path. */
function direntAt(path: string, index: number): number {
  const at = record(path)
  return at + 64 + xattrBytes(sound.readUInt16LE(at + 2)) + 12 * index
}

function xattrBytes(count: number): number {
  return count === 0 ? 0 : 12 + 4 * (count - 1)
}

/** The image with a change, and with the checksum that fits it. */
function changed(change: (image: Buffer) => void, image: Buffer = sound): Buffer {
  const copy = Buffer.from(image)
  change(copy)
  return signed(copy)
}

function signed(image: Buffer): Buffer {
  image.writeUInt32LE(0, 1028)
  image.writeUInt32LE(crc32c(image.subarray(1024, 4096)), 1028)
  return image
}

const u8 = (at: number, value: number) => (image: Buffer) => void image.writeUInt8(value, at)
const u16 = (at: number, value: number) => (image: Buffer) => void image.writeUInt16LE(value, at)
const u32 = (at: number, value: number) => (image: Buffer) => void image.writeUInt32LE(value, at)

test.each<{ reason: RegExp; change: (image: Buffer) => void }>([
  { reason: /not an EROFS image/, change: u32(1024, 0) },
  { reason: /features.*0x80/, change: u32(1024 + 80, 0x80) },
  { reason: /blocks do not have 4096/, change: u8(1024 + 12, 14) },
  { reason: /directories have blocks/, change: u8(1024 + 90, 1) },
  { reason: /compressed/, change: u16(1024 + 84, 1) },
  { reason: /cut short/, change: u32(1024 + 36, 0xffff) },
  { reason: /without the feature/, change: u16(1024 + 86, 1) },
  {
    reason: /table of devices/,
    change: (image) => {
      u32(1024 + 80, 8)(image)
      u16(1024 + 86, 1)(image)
    }
  },
  { reason: /root is not a directory|no known type/, change: u16(1024 + 14, 9) },
  { reason: /outside of the image/, change: u32(1024 + 40, 0xffff_ffff) },
  { reason: /no known type/, change: u16(record('p') + 4, 0) },
  { reason: /not supported/, change: u16(record('p'), 1 | (1 << 1)) },
  { reason: /has chunks/, change: u16(record('h'), 1 | (4 << 1)) },
  { reason: /special file has content/, change: u32(record('p') + 8, 1) },
  { reason: /larger than the image/, change: u32(record('l') + 12, 1) },
  { reason: /longer than a path/, change: u32(record('l') + 8, 4096) },
  { reason: /size is out of range/, change: u32(record('h') + 12, 0xffff_ffff) },
  { reason: /nanoseconds/, change: u32(record('p') + 40, 1_000_000_000) },
  { reason: /no links/, change: u32(record('p') + 44, 0) },
  { reason: /inode has a wrong number of links/, change: u32(record('h') + 44, 3) },
  { reason: /directory has a wrong number of links/, change: u32(record('d') + 44, 2) },
  { reason: /outside of its device/, change: u32(record('h') + 16, 0x10_0000) },
  { reason: /no first block/, change: u32(record('h') + 16, 0xffff_ffff) },
  { reason: /crosses into the next block/, change: u32(record('many') + 8, 4096 + 4095) },
  { reason: /no sound target/, change: u8(record('l') + 64, 0) },
  { reason: /none follow/, change: u16(record('p') + 2, 1) },
  { reason: /unknown prefix/, change: u8(record('d') + 64 + 12 + 1, 5) },
  { reason: /crosses the end of its inode/, change: u16(record('d') + 64 + 12 + 2, 999) },
  { reason: /shared attributes cross/, change: u8(record('d') + 64 + 4, 200) },
  { reason: /two attributes/, change: u8(record('d') + 64 + 12 + 12 + 4, 'a'.charCodeAt(0)) },
  { reason: /wrong name/, change: u8(record('d') + 64 + 12, 0) },
  { reason: /lead to itself and to its parent/, change: u32(direntAt('d', 0), 1) },
  { reason: /lead to itself and to its parent/, change: u32(direntAt('d', 1), 7) },
  { reason: /another type than its inode/, change: u8(direntAt('d', 2) + 10, 1) },
  { reason: /unknown type/, change: u8(direntAt('d', 2) + 10, 9) },
  { reason: /directory has two names/, change: u32(direntAt('d', 2), 1) },
  { reason: /inode lies outside|outside of the image/, change: u32(direntAt('d', 2), 0xffff) },
  { reason: /number of an inode is out of range/, change: u32(direntAt('d', 2) + 4, 0xffff_ffff) },
  { reason: /no sound table/, change: u16(direntAt('d', 0) + 8, 13) },
  { reason: /wrong length/, change: u16(direntAt('d', 3) + 8, 0xffff) },
  { reason: /not in order/, change: u8(direntAt('d', 5) + 4, 'a'.charCodeAt(0)) },
  { reason: /slash or NUL/, change: u8(direntAt('d', 5) + 3, '/'.charCodeAt(0)) }
])('$reason', ({ reason, change }) => {
  const error = failure(() => readAll(changed(change)))
  expect(error).toMatchObject({ code: 'EROFS_INVALID' })
  expect(error!.facts.reason).toMatch(reason)
})

test('a wrong checksum', () => {
  const copy = Buffer.from(sound)
  copy[4000]! ^= 1
  expect(failure(() => readAll(copy))).toMatchObject({
    code: 'EROFS_INVALID',
    facts: { reason: 'the checksum of its superblock is wrong' }
  })
})

test.each([0, 1023, 1500, 4096, -4096, -1])('an image cut at %i', (end) => {
  expect(failure(() => readAll(sound.subarray(0, end)))).toMatchObject({ code: 'EROFS_INVALID' })
})

const layers = [[fileMember('a', Buffer.alloc(9000, 1))], [fileMember('b', Buffer.alloc(10, 2))]]
const { merged, layers: images } = buildImage(layers, 'devices')
const [lower, upper] = images as [Buffer, Buffer]
const more = Buffer.concat([upper, Buffer.alloc(4096)])

test.each([
  { name: 'swapped', devices: [merged, upper, lower] },
  { name: 'missing', devices: [merged, lower] },
  { name: 'too many', devices: [merged, lower, upper, upper] },
  { name: 'truncated', devices: [merged, lower.subarray(0, -1), upper] },
  { name: 'appended', devices: [merged, lower, more] },
  { name: 'missing where all are one', devices: [merged] },
  {
    name: 'truncated where all are one',
    devices: [Buffer.concat([merged, lower, upper.subarray(1)])]
  }
])('devices that are $name', ({ devices }) => {
  expect(failure(() => readAll(...devices))).toMatchObject({ code: 'EROFS_INVALID' })
})

test.each([
  { name: 'overlap', change: u32(1152 + 128 + 68, 2) },
  { name: 'begin within the image', change: u32(1152 + 68, 1) }
])('devices that $name', ({ change }) => {
  const whole = changed(change, Buffer.concat([merged, lower, upper]))
  expect(failure(() => readAll(whole))?.facts.reason).toBe('its devices overlap')
})

test('directories that share their blocks', () => {
  const names = Array.from({ length: 640 }, (_, i) => `!${i}`.padEnd(52, '-'))
  const { image } = buildLayer([
    { entry: staged('fifo', 'p') },
    ...names.map((name) => ({ entry: staged('hardlink', `d/${name}`, { link: 'p' }) })),
    ...Array.from({ length: 20 }, (_, i) => ({ entry: staged('directory', `e${i}`) }))
  ])
  const reader = new ErofsImage([device(image)])
  const big = [...walkImage(reader)].find(({ path }) => path === 'd')!.inode
  const shared = changed((bytes) => {
    for (const { path, inode } of walkImage(reader)) {
      if (!path.startsWith('e')) continue
      bytes.writeUInt32LE(big.size, inode.xattrsAt - 64 + 8)
      bytes.writeUInt32LE(big.start, inode.xattrsAt - 64 + 16)
    }
  }, image)
  expect(failure(() => readAll(shared))?.facts.reason).toMatch(/more names/)
})

test('whatever is changed, reading ends, with an error of its own if any', () => {
  const starts = [sound, Buffer.concat([merged, lower, upper])]
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }))
  fc.assert(
    fc.property(
      fc.constantFrom(...starts),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (start, changes) => {
        const damaged = changed((image) => {
          for (const [at, value] of changes) image[1024 + (at % (image.length - 1024))] = value
        }, start)
        expectEnd(damaged)
      }
    ),
    { numRuns: 500 }
  )
})

function expectEnd(bytes: Buffer): void {
  try {
    const image = new ErofsImage([device(bytes)])
    for (const { inode } of walkImage(image)) {
      image.xattrs(inode)
      if (inode.type === 'symlink') image.target(inode)
      expect([...image.parts(inode)].length).toBeGreaterThanOrEqual(0)
    }
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'EROFS_INVALID') throw error
  }
}
