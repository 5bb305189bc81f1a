/** The two versions of security.capability, for an image and for what is seen of it in a user namespace. */
import { describe, expect, test } from 'vitest'
import { capabilitiesOfImage, capabilitiesOutside } from '../../src/plan/policy/capabilities.ts'
import { exact } from '../../src/plan/policy/exact.ts'
import type { Xattr } from '../../src/tar/entry.ts'

/** cap_net_raw=ep, as `setcap` writes it. */
const DATA = `\0\x20${'\0'.repeat(14)}`
const V2 = `\x01\0\0\x02${DATA}`
const V3 = (root: string): string => `\x01\0\0\x03${DATA}${root}`
const MAP = [
  { containerId: 0, hostId: 1000, size: 1 },
  { containerId: 1, hostId: 100_000, size: 65_536 }
]
const ROOT = '\xe8\x03\0\0'
const LARGE = [{ containerId: 0, hostId: 0xfedc_ba98, size: 1 }]

const cases = [
  { name: 'for root of the namespace', image: V2, map: MAP, outside: V3(ROOT) },
  { name: 'for a large id', image: V2, map: LARGE, outside: V3('\x98\xba\xdc\xfe') },
  { name: 'without maps', image: V2, map: [], outside: V2 },
  { name: 'where 0 is not mapped', image: V2, map: MAP.slice(1), outside: V2 },
  { name: 'for another namespace', image: V3('\x01\0\0\0'), map: MAP, outside: V3('\x01\0\0\0') },
  { name: 'of version 1', image: `\0\0\0\x01${DATA}`, map: MAP, outside: `\0\0\0\x01${DATA}` },
  { name: 'cut short', image: V2.slice(0, 19), map: MAP, outside: V2.slice(0, 19) },
  { name: 'empty', image: '', map: MAP, outside: '' }
]

describe.each(cases)('capabilities $name', ({ image, map, outside }) => {
  const xattrs = (value: string): Xattr[] => [
    ['user.a', V2],
    ['security.capability', value]
  ]

  test('are seen outside', () => {
    expect(capabilitiesOutside(xattrs(image), map)).toEqual(xattrs(outside))
  })
  test('come back into an image', () => {
    expect(capabilitiesOfImage(xattrs(outside), map)).toEqual(xattrs(image))
  })
})

test('the exact policy gives an image the version that holds everywhere', () => {
  const object = {
    type: 'file',
    mode: 0o755,
    uid: 1000,
    gid: 1000,
    devMajor: 0,
    devMinor: 0
  } as const
  const maps = { uidMap: MAP, gidMap: MAP }
  const xattrs: Xattr[] = [['security.capability', V3(ROOT)]]
  expect(exact.fromDisk({ ...object, xattrs }, maps).xattrs).toEqual([['security.capability', V2]])
})
