/** Holes as clients are told of them, against a map of bytes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutData, wholeBlocks, type Extent } from '../../src/nbd/extents.ts'

const BLOCK = 4096
const data = (length: number): Extent => ({ length, hole: false })
const hole = (length: number): Extent => ({ length, hole: true })

describe('holes of whole blocks', () => {
  test.each<[string, Extent[], number, Extent[]]>([
    ['as they are', [data(BLOCK), hole(BLOCK), data(1)], 0, [data(BLOCK), hole(BLOCK), data(1)]],
    [
      'cut on both sides',
      [data(1), hole(3 * BLOCK), data(9)],
      0,
      [data(BLOCK), hole(2 * BLOCK), data(10)]
    ],
    ['too short', [data(1), hole(BLOCK), data(9)], 0, [data(BLOCK + 10)]],
    ['within a block', [data(1), hole(9), data(9)], 0, [data(19)]],
    ['from any beginning to any end', [hole(9)], 7, [hole(9)]],
    ['at the beginning only', [hole(BLOCK), data(1)], 7, [hole(BLOCK - 7), data(8)]],
    ['joined', [hole(BLOCK), data(1), data(2)], 0, [hole(BLOCK), data(3)]],
    ['none', [], 5, []]
  ])('%s', (_name, extents, offset, expected) => {
    expect(wholeBlocks(extents, offset)).toEqual(expected)
  })

  test('cover the same range, alternate, and claim no byte that is data', () => {
    fc.assert(
      fc.property(someExtents(), fc.nat(2 * BLOCK), (extents, offset) => {
        const found = wholeBlocks(extents, offset)
        const [before, after] = [holesOf(extents, offset), holesOf(found, offset)]
        expect(sum(found)).toBe(sum(extents))
        expect(found.every(({ length }) => length > 0)).toBe(true)
        expect(found.every(({ hole }, index) => hole !== found[index - 1]?.hole)).toBe(true)
        for (const [start, end] of after) {
          expect(before.some(([first, last]) => first <= start && end <= last)).toBe(true)
          expect(start === offset || start % BLOCK === 0).toBe(true)
          expect(end === offset + sum(extents) || end % BLOCK === 0).toBe(true)
        }
        for (const [start, end] of before)
          if (end - start >= 2 * BLOCK)
            expect(after.some(([s, e]) => s < end && e > start)).toBe(true)
      })
    )
  })
})

describe('pieces', () => {
  test('have borders at multiples of their size, and holes are not cut', () => {
    expect(cutData([data(10), hole(100), data(7)], 6, 8)).toEqual([
      { offset: 6, length: 2, hole: false },
      { offset: 8, length: 8, hole: false },
      { offset: 16, length: 100, hole: true },
      { offset: 116, length: 4, hole: false },
      { offset: 120, length: 3, hole: false }
    ])
  })

  test('cover everything once', () => {
    fc.assert(
      fc.property(
        someExtents(),
        fc.nat(9999),
        fc.integer({ min: 500, max: 5000 }),
        (extents, offset, size) => {
          let at = offset
          for (const piece of cutData(extents, offset, size)) {
            expect(piece.offset).toBe(at)
            if (!piece.hole) expect(piece.length).toBeLessThanOrEqual(size)
            at += piece.length
          }
          expect(at).toBe(offset + sum(extents))
        }
      )
    )
  })
})

/** Alternating, as files give them. */
function someExtents(): fc.Arbitrary<Extent[]> {
  return fc
    .tuple(fc.boolean(), fc.array(fc.integer({ min: 1, max: 3 * BLOCK }), { maxLength: 8 }))
    .map(([first, lengths]) =>
      lengths.map((length, index) => ({ length, hole: first === (index % 2 === 0) }))
    )
}

function holesOf(extents: readonly Extent[], offset: number): [number, number][] {
  let at = offset
  return extents.flatMap(({ length, hole }) => {
    at += length
    return hole ? [[at - length, at] as [number, number]] : []
  })
}

function sum(extents: readonly Extent[]): number {
  return extents.reduce((total, { length }) => total + length, 0)
}
