import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { archive, member, scanArchive } from '../support/archive.ts'
import { failure } from '../support/failure.ts'

const HEADER = 512

/** A small archive with everything in it: members with the bytes of padding they end in. */
const members: readonly (readonly [member: Buffer, padding: number])[] = [
  [member({ type: 'directory', name: 'dir/', mode: 0o755 }), 0],
  [member({ name: 'dir/file', xattrs: [['user.a', '\xff\0']] }, 'x'.repeat(700)), 324],
  [member({ name: 'dir/sparse', size: 4000 }, 'data', { sparse: [1000, 4] }), 508],
  [member({ type: 'symlink', name: 'n'.repeat(300), link: 'dir' }), 0]
]
const whole = archive(...members.map(([bytes]) => bytes))

/** Ends that readers accept: between members, in the padding of a body, around the end blocks. */
function legalEnds(): Set<number> {
  const ends = new Set([0, whole.length - HEADER, whole.length])
  let at = 0
  for (const [bytes, padding] of members) {
    at += bytes.length
    for (let missing = 0; missing <= padding; missing++) ends.add(at - missing)
  }
  return ends
}

test('an archive cut at any byte is an error with its offset, except at a legal end', () => {
  const legal = legalEnds()
  for (let end = 0; end <= whole.length; end++) {
    const error = failure(() => scanArchive(whole.subarray(0, end)))
    const wanted = legal.has(end) ? undefined : 'TAR_INVALID'
    expect([end, error?.code]).toEqual([end, wanted])
    if (error !== undefined) expect(error.facts.offset).toBeLessThanOrEqual(end)
  }
})

test('a flipped bit in a header block is always found', () => {
  for (let bit = 0; bit < HEADER * 8; bit++) {
    const damaged = Buffer.from(whole)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    const error = failure(() => scanArchive(damaged))
    // The checksum field itself may change in its closing blanks without changing its number.
    if (error === undefined) expect(bit >> 3).toBeGreaterThanOrEqual(148)
    if (error === undefined) expect(bit >> 3).toBeLessThan(156)
    else expect(error.facts.offset).toBe(0)
  }
})

describe('whatever is damaged, nothing but an expected error is thrown', () => {
  test('by bit flips with right checksums', () => {
    const places = fc.array(fc.nat({ max: whole.length * 8 - 1 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(places, (bits) => {
        const damaged = Buffer.from(whole)
        for (const bit of bits) damaged[bit >> 3]! ^= 1 << (bit & 7)
        for (let at = 0; at < damaged.length; at += HEADER) sign(damaged, at)
        failure(() => scanArchive(damaged))
      }),
      { numRuns: 2000 }
    )
  })

  test('by blocks in the wrong order', () => {
    const order = fc.array(fc.nat({ max: whole.length / HEADER - 1 }), { maxLength: 20 })
    fc.assert(
      fc.property(order, (blocks) => {
        const parts = blocks.map((i) => whole.subarray(i * HEADER, (i + 1) * HEADER))
        failure(() => scanArchive(Buffer.concat(parts)))
      }),
      { numRuns: 500 }
    )
  })

  test('by bytes that are no archive at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 2000 }), (bytes) => {
        expect(failure(() => scanArchive(Buffer.from(bytes)))?.code ?? 'zeros').toMatch(
          bytes.some((byte) => byte !== 0) ? 'TAR_INVALID' : 'zeros'
        )
      })
    )
  })
})

/** Gives a block the checksum it would need as a header; pointless but harmless in other blocks. */
function sign(bytes: Buffer, at: number): void {
  if (!bytes.includes('ustar', at) || bytes.indexOf('ustar', at) !== at + 257) return
  bytes.fill(' ', at + 148, at + 156)
  const sum = bytes.subarray(at, at + HEADER).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
}
