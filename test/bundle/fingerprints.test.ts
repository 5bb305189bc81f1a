import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFingerprints, encodeFingerprints } from '../../src/bundle/fingerprints.ts'
import { isUnchanged } from '../../src/bundle/unchanged.ts'
import type { FileStat } from '../../src/bundle/fingerprint-record.ts'
import type { Fingerprints } from '../../src/bundle/fingerprints.ts'

const SHA = 'ab'.repeat(32)
const HEADER = { device: 42, scannedAt: { sec: 1000, nsec: 500_000_000 }, manifestSha256: SHA }
const STAT: FileStat = {
  dev: 42,
  ino: 7,
  size: 123,
  mtime: { sec: 900, nsec: 1 },
  ctime: { sec: 950, nsec: 2 }
}

function prints(...stats: (FileStat | undefined)[]): Fingerprints {
  const decoded = decodeFingerprints(encodeFingerprints(HEADER, stats), SHA)
  if (typeof decoded === 'string') throw new Error(decoded)
  return decoded
}

describe('fingerprints', () => {
  const time = fc.record({
    sec: fc.integer({ min: -(2 ** 52), max: 999 }),
    nsec: fc.integer({ min: 1, max: 999_999_999 })
  })
  const stat = fc.record({
    dev: fc.constant(42),
    ino: fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    size: fc.maxSafeNat(),
    mtime: time,
    ctime: time
  })

  test('know every file again that they were made of, in any number', () => {
    fc.assert(
      fc.property(fc.array(stat), (stats) => {
        const decoded = prints(...stats)
        expect(decoded).toMatchObject({ ...HEADER, count: stats.length })
        expect(stats.every((item, index) => isUnchanged(decoded, index, item))).toBe(true)
      })
    )
  })

  test.each<[string, Partial<FileStat>]>([
    ['device', { dev: 43 }],
    ['inode', { ino: 8 }],
    ['inode beyond 32 bits', { ino: 7 + 2 ** 32 }],
    ['inode beyond 53 bits', { ino: 7n + 2n ** 63n }],
    ['size', { size: 124 }],
    ['mtime seconds', { mtime: { sec: 901, nsec: 1 } }],
    ['mtime ns', { mtime: { sec: 900, nsec: 2 } }],
    ['ctime seconds', { ctime: { sec: 949, nsec: 2 } }],
    ['ctime ns', { ctime: { sec: 950, nsec: 3 } }]
  ])('see another %s', (_, change) => {
    expect(isUnchanged(prints(STAT), 0, STAT)).toBe(true)
    expect(isUnchanged(prints(STAT), 0, { ...STAT, ...change })).toBe(false)
  })

  test('tell the records of neighbours apart', () => {
    const other = { ...STAT, ino: 8 }
    const both = prints(STAT, other)
    expect([isUnchanged(both, 1, other), isUnchanged(both, 1, STAT)]).toEqual([true, false])
  })

  test('hold the same number whether it comes as number or bigint', () => {
    expect(isUnchanged(prints(STAT), 0, { ...STAT, dev: 42n, ino: 7n })).toBe(true)
  })

  test.each([
    [{ sec: 1000, nsec: 489_999_999 }, true],
    [{ sec: 1000, nsec: 490_000_000 }, false],
    [{ sec: 1000, nsec: 500_000_000 }, false],
    [{ sec: 2000, nsec: 1 }, false],
    [{ sec: 998, nsec: 1 }, true],
    [{ sec: 998, nsec: 0 }, false],
    [{ sec: 997, nsec: 0 }, true]
  ])('trust a file changed at %j: %s (scan at 1000.5 s)', (ctime, trusted) => {
    const racy = { ...STAT, ctime }
    expect(isUnchanged(prints(racy), 0, racy)).toBe(trusted)
  })

  test('trust files whatever their mtime is', () => {
    const future = { ...STAT, mtime: { sec: 2 ** 40, nsec: 0 } }
    expect(isUnchanged(prints(future), 0, future)).toBe(true)
  })

  test('never trust unknown files, or those on other devices', () => {
    const foreign = { ...STAT, dev: 43 }
    const zero = {
      ...STAT,
      ino: 0,
      size: 0,
      mtime: { sec: 0, nsec: 0 },
      ctime: { sec: 0, nsec: 0 }
    }
    const decoded = prints(undefined, foreign)
    expect(isUnchanged(decoded, 0, zero)).toBe(false)
    expect(isUnchanged(decoded, 1, foreign)).toBe(false)
    expect(isUnchanged(decoded, 1, { ...foreign, dev: 42 })).toBe(false)
  })

  test('read from bytes that do not begin at an even place', () => {
    const bytes = Buffer.concat([Buffer.from('x'), encodeFingerprints(HEADER, [STAT])]).subarray(1)
    expect(isUnchanged(decodeFingerprints(bytes, SHA) as Fingerprints, 0, STAT)).toBe(true)
  })
})

describe('a file that holds no usable fingerprints', () => {
  const bytes = encodeFingerprints(HEADER, [STAT])
  const changed = (at: number) => {
    const copy = Buffer.from(bytes)
    copy[at]! ^= 1
    return copy
  }

  test.each([
    ['empty', Buffer.alloc(0), SHA, 'no-fingerprints'],
    ['cut in the header', bytes.subarray(0, 71), SHA, 'no-fingerprints'],
    ['of another kind', changed(0), SHA, 'no-fingerprints'],
    ['of a later version', changed(8), SHA, 'unknown-version'],
    ['cut', bytes.subarray(0, -1), SHA, 'wrong-length'],
    ['with a wrong count', changed(12), SHA, 'wrong-length'],
    ['of another manifest', bytes, 'cd'.repeat(32), 'other-manifest']
  ])('because it is %s is set aside', (_, file, sha, reason) => {
    expect(decodeFingerprints(file, sha)).toBe(reason)
  })
})
