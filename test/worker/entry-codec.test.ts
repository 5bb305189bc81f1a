import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { STAGED_NOWHERE, type StagedEntry } from '../../src/plan/staged-entry.ts'
import { decodeEntries, EntryEncoder } from '../../src/worker/entry-codec.ts'

const byteString = fc
  .uint8Array({ maxLength: 300 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
/** Around the borders of the encoding of numbers, and everything else that an entry may hold. */
const number = fc.oneof(
  fc.constantFrom(0, 253, 254, 255, 256, 65_535, 65_536, 2 ** 32 - 2, 2 ** 53 - 1, -1),
  fc.maxSafeInteger()
)
const time = fc.record({ sec: number, nsec: fc.integer({ min: 0, max: 999_999_999 }) })
const digest = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))

const stagedEntry: fc.Arbitrary<StagedEntry> = fc
  .record(
    {
      type: fc.constantFrom(
        ...(['file', 'directory', 'symlink', 'hardlink', 'char', 'block'] as const),
        ...(['fifo', 'whiteout', 'opaque'] as const)
      ),
      path: byteString,
      link: byteString,
      mode: number,
      uid: number,
      gid: number,
      size: number,
      devMajor: number,
      devMinor: number,
      mtime: time,
      atime: time,
      sha256: digest,
      staged: fc.oneof(fc.constant(STAGED_NOWHERE), fc.nat()),
      xattrs: fc.array(fc.tuple(byteString, byteString), { maxLength: 5 }),
      unheld: fc.record({
        uid: fc.nat(),
        type: fc.constantFrom('char', 'block'),
        xattrs: fc.array(fc.tuple(byteString, byteString), { maxLength: 2 })
      })
    },
    {
      requiredKeys: [
        ...(['type', 'path', 'link', 'mode', 'uid', 'gid', 'size', 'devMajor'] as const),
        ...(['devMinor', 'mtime', 'staged', 'xattrs'] as const)
      ]
    }
  )
  .map((entry) => entry)

test('entries come back as they went in, in order', () => {
  fc.assert(
    fc.property(fc.array(stagedEntry, { maxLength: 20 }), (entries) => {
      const encoder = new EntryEncoder()
      for (const entry of entries) encoder.add(entry)
      expect(encoder.count).toBe(entries.length)
      expect([...decodeEntries(encoder.take())]).toEqual(entries)
    })
  )
})

test('what was taken is the receiver’s: the encoder starts again', () => {
  const [first, second] = fc.sample(stagedEntry, { numRuns: 2, seed: 1 }) as [
    StagedEntry,
    StagedEntry
  ]
  const encoder = new EntryEncoder()
  encoder.add(first)
  const taken = encoder.take()
  encoder.add(second)
  expect([...decodeEntries(taken)]).toEqual([first])
  expect([...decodeEntries(encoder.take())]).toEqual([second])
  expect(encoder.take()).toHaveLength(0)
  expect(taken.buffer.byteLength).toBe(taken.byteLength)
})

test('more than the first room fits', () => {
  const [entry] = fc.sample(stagedEntry, { numRuns: 1, seed: 2 }) as [StagedEntry]
  const large = { ...entry, xattrs: [['user.x', 'v'.repeat(700_000)] as const] }
  const encoder = new EntryEncoder()
  for (let round = 0; round < 3; round++) encoder.add(large)
  expect([...decodeEntries(encoder.take())]).toEqual([large, large, large])
})

test('a plain file takes about a hundred bytes', () => {
  const encoder = new EntryEncoder()
  encoder.add({
    type: 'file',
    path: 'usr/share/doc/libexample1/changelog.Debian.gz',
    link: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 1234,
    devMajor: 0,
    devMinor: 0,
    mtime: { sec: 1_700_000_000, nsec: 0 },
    sha256: '\xaa'.repeat(32),
    staged: 0,
    xattrs: []
  })
  expect(encoder.take().length).toBeLessThan(120)
})
