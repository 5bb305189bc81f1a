/**
 * Deflate data (RFC 1951) that means nothing and ends at any bit of a byte. In front of a block that begins in the middle
 * of a byte, it lets `node:zlib` begin there: shifting the data would move the borders of bytes, which stored blocks need.
 */

/** A block with fixed codes (3.2.6) that only ends: 10 bits. */
const FIXED = '0' + '10' + '0000000'

/** The lengths of the codes for code lengths, in their order (3.2.7): 2 for 18 and 0, 1 for 1. */
const LENGTHS = [0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

/** A block with codes of its own that only ends: 93 bits. So there are blocks for an odd number of bits, too. */
const DYNAMIC = [
  '0' + '01',
  number(0, 5) + number(0, 5) + number(LENGTHS.length - 4, 4),
  ...LENGTHS.map((length) => number(length, 3)),
  // 138 and 118 zeros, and then a code of one bit for the end of the block
  '11' + number(138 - 11, 7) + '11' + number(118 - 11, 7) + '0',
  // no code for distances, and the end
  '10' + '0'
].join('')

/** By the number of bits modulo 8. */
const BLOCKS: readonly string[] = [
  '',
  DYNAMIC + FIXED.repeat(2),
  FIXED,
  DYNAMIC + FIXED.repeat(3),
  FIXED.repeat(2),
  DYNAMIC,
  FIXED.repeat(3),
  DYNAMIC + FIXED
]

/**
 * @param bits 0 to 7: so many bits of the last byte are used, the lowest first
 * @returns whole bytes, and one more with the bits that are left if there are any
 */
export function emptyBlocks(bits: number): Buffer {
  const text = BLOCKS[bits]!
  const bytes = Buffer.alloc(Math.ceil(text.length / 8))
  for (let at = 0; at < text.length; at++) if (text[at] === '1') bytes[at >>> 3]! |= 1 << (at & 7)
  return bytes
}

/** Numbers are written from their lowest bit on; codes from their highest (3.1.1). */
function number(value: number, bits: number): string {
  return Array.from({ length: bits }, (_, at) => (value >>> at) & 1).join('')
}
