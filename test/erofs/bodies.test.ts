import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BodyPlaces, byteOffset, inChunks, type Body } from '../../src/erofs/bodies.ts'
import { BLOCK, blocksOf, NO_BLOCK } from '../../src/erofs/format.ts'
import { buildLayer } from '../support/erofs-image.ts'
import { sparse } from '../support/erofs-odd-tree.ts'
import { digestOf, readAll, wholeBody } from '../support/erofs-read.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30

test('bodies follow block 0, each on a block of its own', () => {
  const places = new BodyPlaces()
  const placed = [1, 4096, 0, 4097, 10].map((size) => places.place(size))
  expect(placed).toEqual([1, 2, NO_BLOCK, 3, 5])
  expect(places.end).toBe(6)
})

test.each<{ name: string; size: number; extents: number[]; body: Body; end: number }>([
  { name: 'holes of less than 1 MiB are stored', size: MIB, extents: [0, 1], body: 1, end: 257 },
  {
    name: 'a large hole',
    size: 2 * MIB + 1,
    extents: [0, 5, 2 * MIB, 1],
    body: { bits: 0, blocks: [1, ...holes(511), 2] },
    end: 3
  },
  {
    name: 'many small holes are stored',
    size: 4 * MIB,
    extents: everySecond(4 * MIB, 2048),
    body: 1,
    end: 1025
  },
  {
    name: 'nothing but a hole',
    size: 8 * MIB,
    extents: [],
    body: { bits: 1, blocks: holes(1024) },
    end: 1
  },
  {
    name: 'an empty extent',
    size: 4 * MIB,
    extents: [MIB, 0],
    body: { bits: 0, blocks: holes(1024) },
    end: 1
  },
  {
    name: 'chunks are larger in larger files',
    size: 400 * GIB,
    extents: [5 * GIB, 7],
    body: { bits: 17, blocks: [...holes(10), 1, ...holes(789)] },
    end: 1 + 2 ** 17
  },
  {
    name: 'the last chunk is as long as it has to be',
    size: GIB + 1,
    extents: [GIB, 1],
    body: { bits: 9, blocks: [...holes(512), 1] },
    end: 2
  }
])('$name', ({ size, extents, body, end }) => {
  const places = new BodyPlaces()
  expect(places.place(size, extents)).toEqual(body)
  expect(places.end).toBe(end)
})

function holes(count: number): number[] {
  return Array<number>(count).fill(NO_BLOCK)
}

function everySecond(size: number, length: number): number[] {
  return Array.from({ length: size / length }, (_, i) => (i % 2 === 0 ? i * length : length))
}

test('bytes of an extent follow each other, in whatever chunks they are', () => {
  const body = new BodyPlaces().place(GIB, [3 * MIB, 5 * MIB, GIB - 1, 1])
  expect(byteOffset(body, 3 * MIB)).toBe(BLOCK)
  expect(byteOffset(body, 5 * MIB)).toBe(BLOCK + 2 * MIB)
  expect(byteOffset(body, 8 * MIB - 1)).toBe(BLOCK + 5 * MIB - 1)
  expect(byteOffset(body, GIB - 1)).toBe(BLOCK + 6 * MIB - 1)
})

test('a body is one chunk, unless it is larger than the largest', () => {
  expect(inChunks(7, 1)).toEqual({ bits: 0, blocks: [7] })
  expect(inChunks(7, 3 * BLOCK)).toEqual({ bits: 2, blocks: [7] })
  expect(inChunks(7, 9 * 2 ** 40)).toEqual({ bits: 31, blocks: [7, 7 + 2 ** 31] })
})

test('sparse files are read again', () => {
  const extents = fc
    .uniqueArray(fc.nat({ max: 3 * MIB }), { maxLength: 8 })
    .map((cuts) => cuts.sort((a, b) => a - b))
    .map((cuts) => cuts.flatMap((cut, i) => (i % 2 === 0 ? [cut, (cuts[i + 1] ?? cut) - cut] : [])))
  fc.assert(
    fc.property(extents, fc.nat({ max: MIB }), (places, more) => {
      const member = sparse('s', 3 * MIB + more, places)
      const { image, bodies } = buildLayer([member])
      expect(readAll(image).get('s')!.body).toBe(digestOf(wholeBody(member)))
      const stored = typeof bodies[0] === 'number' ? member.entry.size : 0
      expect(image.length / BLOCK).toBeGreaterThan(blocksOf(stored))
    }),
    { numRuns: 20 }
  )
})
