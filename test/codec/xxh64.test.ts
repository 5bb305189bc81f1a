/** The checksum of Zstandard frames, against known values and the zstd program. */
import { expect, test } from 'vitest'
import { Xxh64 } from '../../src/codec/xxh64.ts'
import { noise } from './gzip-cases.ts'
import { filter, installed } from './support.ts'

function lowOf(...parts: Uint8Array[]): number {
  const hash = new Xxh64()
  for (const part of parts) hash.update(part)
  return hash.low()
}

test.each([
  ['', 0x51d8_e999],
  ['a', 0xa98c_6e5b],
  ['abc', 0xad77_0999]
])('the hash of %j', (text, low) => {
  expect(lowOf(Buffer.from(text)).toString(16)).toBe(low.toString(16))
})

const LENGTHS = [1, 3, 4, 7, 8, 12, 31, 32, 33, 63, 64, 95, 65_535, 65_536, 65_569, 200_001]

test.skipIf(installed('zstd') === undefined).each(LENGTHS)(
  'is what the zstd program writes: %i bytes',
  (length) => {
    const content = noise(length)
    const frame = filter('zstd', ['-cq', '--check'], content)
    const half = Math.floor(length / 2)
    expect(lowOf(content)).toBe(frame.readUInt32LE(frame.length - 4))
    expect(lowOf(content.subarray(0, half), content.subarray(half))).toBe(lowOf(content))
  }
)
