/** What a user namespace and the maps of a bundle have to do with each other. */
import { describe, expect, test } from 'vitest'
import type { IdMapping } from '../../src/plan/id-map.ts'
import { AS_SEEN, areMapsOf, ownersOutside } from '../../src/plan/outside.ts'

const root = { containerId: 0, hostId: 1000, size: 1 }
const range = { containerId: 1, hostId: 100_000, size: 65_536 }
const more = { containerId: 65_537, hostId: 300_000, size: 10 }

const cases: { name: string; namespace: IdMapping[]; recorded: IdMapping[]; same: boolean }[] = [
  { name: 'equal maps', namespace: [root, range], recorded: [root, range], same: true },
  {
    name: 'ids that were added since',
    namespace: [root, range, more],
    recorded: [root, range],
    same: true
  },
  {
    name: 'a range that unshare has cut',
    namespace: [root, { ...range, size: 65_535 }],
    recorded: [root, range],
    same: true
  },
  { name: 'one id that is all of it', namespace: [root], recorded: [root], same: true },
  { name: 'one id of several', namespace: [root, range], recorded: [root], same: false },
  { name: 'no maps', namespace: [root, range], recorded: [], same: false },
  {
    name: 'another user',
    namespace: [root, range],
    recorded: [{ ...root, hostId: 1001 }, range],
    same: false
  },
  {
    name: 'another range',
    namespace: [root, range],
    recorded: [root, { ...range, hostId: 165_536 }],
    same: false
  },
  { name: 'ids that are gone', namespace: [root], recorded: [root, range], same: false }
]

describe('maps of a bundle are those of the namespace', () => {
  test.each(cases)('$name: $same', ({ namespace, recorded, same }) => {
    const maps = (uidMap: IdMapping[], gidMap = uidMap): Parameters<typeof areMapsOf>[0] => ({
      uidMap,
      gidMap
    })
    expect(areMapsOf(maps(namespace), maps(recorded))).toBe(same)
    expect(areMapsOf(maps(namespace), maps(recorded, [{ ...root, hostId: 5 }]))).toBe(false)
  })
})

test('owners have other ids outside', () => {
  const maps = { uidMap: [root, range], gidMap: [range] }
  expect(ownersOutside({ uid: 0, gid: 7 }, maps)).toEqual({ uid: 1000, gid: 100_006 })
  expect(ownersOutside({ uid: 70_000, gid: 0 }, maps)).toEqual({ uid: 70_000, gid: 0 })
  expect(ownersOutside({ uid: 3, gid: 4 }, AS_SEEN)).toEqual({ uid: 3, gid: 4 })
})
