/** When a layer costs too much for its size. The chunks are pushed again and again, so nothing large is made. */
import { describe, expect, test } from 'vitest'
import { Control } from '../../src/worker/control.ts'
import { TarSizeCheck } from '../../src/worker/tar-limits.ts'
import { failure } from '../image/errors.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const DATA = Buffer.alloc(MIB, 'pattern')
const ZEROS = Buffer.alloc(MIB)

function check(compressed: number, ratio?: number, unpackedBytes = 1024 * GIB): TarSizeCheck {
  return new TarSizeCheck(Control.forLayers(1), 0, compressed, { ratio, unpackedBytes })
}

function push(size: TarSizeCheck, chunk: Buffer, bytes: number): void {
  for (let left = bytes; left > 0; left -= chunk.length) size.push(chunk)
}

describe('without a given ratio', () => {
  test('4 GiB of data may come from a few kilobytes, as zstd packs a pattern, but no more', () => {
    const size = check(1000)
    push(size, DATA, 4 * GIB)
    expect(failure(() => push(size, DATA, MIB))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      facts: { expected: 'at most 1100' },
      hint: 'Raise limits.ratio if you trust the image.'
    })
  })

  test('zeros and holes may be 128 GiB, but no more', () => {
    const size = check(1000)
    push(size, ZEROS, 2 * GIB)
    push(size, DATA, 3 * GIB)
    size.addHoles(123 * GIB)
    expect(failure(() => size.addHoles(1)).code).toBe('LIMIT_EXCEEDED')
    expect(failure(() => size.push(ZEROS)).code).toBe('LIMIT_EXCEEDED')
  })

  test('what gzip makes is never too much, up to the limit of bytes', () => {
    const size = check((900 * GIB) / 1032)
    push(size, DATA, 5 * GIB)
    size.addHoles(800 * GIB)
    const error = failure(() => size.addHoles(300 * GIB))
    expect(error.hint).toBe('Raise limits.unpackedBytes if you trust the image.')
  })
})

describe('a given ratio', () => {
  test('holds beyond 64 MiB, for zeros and holes too', () => {
    for (const chunk of [DATA, ZEROS]) {
      const size = check(MIB, 64)
      push(size, chunk, 64 * MIB)
      expect(failure(() => size.push(Buffer.alloc(1))).code).toBe('LIMIT_EXCEEDED')
      expect(failure(() => check(MIB, 64).addHoles(64 * MIB + 1)).code).toBe('LIMIT_EXCEEDED')
    }
  })

  test('may be larger than usual', () => {
    const size = check(1000, 1e9)
    push(size, DATA, 5 * GIB)
    size.addHoles(500 * GIB)
  })
})
