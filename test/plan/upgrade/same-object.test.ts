import { describe, expect, test } from 'vitest'
import type { MtreeEntry } from '../../../src/mtree/entry.ts'
import { isSameObject, type SeenEntry } from '../../../src/plan/upgrade/same-object.ts'

const FILE: MtreeEntry = {
  path: 'a',
  type: 'file',
  mode: 0o644,
  uid: 1,
  gid: 2,
  size: 5,
  nlink: 1,
  link: undefined,
  mtimeSec: 1,
  time: undefined,
  sha256: undefined,
  xattrs: [['user.a', '1']],
  other: undefined
}

function seen(values: Partial<MtreeEntry> = {}, others: Partial<SeenEntry> = {}): SeenEntry {
  return { entry: { ...FILE, ...values }, sha256: () => 'x', device: undefined, ...others }
}

const same = (one: SeenEntry, other: SeenEntry): boolean => isSameObject(one, other, false)

describe('isSameObject', () => {
  test('does not look at times and paths', () => {
    expect(same(seen(), seen({ path: 'b', mtimeSec: 2, time: { sec: 2, nsec: 1 } }))).toBe(true)
  })

  test.each<[string, Partial<MtreeEntry>]>([
    ['type', { type: 'fifo' }],
    ['mode', { mode: 0o600 }],
    ['owner', { uid: 7 }],
    ['group', { gid: 7 }],
    ['size', { size: 6 }],
    ['number of names', { nlink: 2 }],
    ['value of an attribute', { xattrs: [['user.a', '2']] }],
    ['name of an attribute', { xattrs: [['user.b', '1']] }],
    ['number of attributes', { xattrs: [] }]
  ])('sees another %s of a file', (_, values) => {
    expect(same(seen(), seen(values))).toBe(false)
    expect(same(seen(values), seen())).toBe(false)
  })

  test('sees other content', () => {
    expect(same(seen(), seen({}, { sha256: () => 'y' }))).toBe(false)
  })

  test('takes unknown content for other content, except of empty files', () => {
    const unknown = { sha256: () => undefined }
    expect(same(seen({}, unknown), seen({}, unknown))).toBe(false)
    expect(same(seen({ size: 0 }, unknown), seen({ size: 0 }, unknown))).toBe(true)
  })

  test('sees nothing but mode, owner and attributes of directories', () => {
    const directory = { type: 'dir', size: 4096, nlink: 2 } as const
    expect(same(seen(directory), seen({ ...directory, size: 1, nlink: 9 }))).toBe(true)
    expect(same(seen(directory), seen({ ...directory, mode: 0o700 }))).toBe(false)
    expect(same(seen(directory), seen({ ...directory, xattrs: [] }))).toBe(false)
  })

  test('sees another target of a link, and not its mode', () => {
    const link = { type: 'link', link: 'x' } as const
    expect(same(seen(link), seen({ ...link, mode: 0 }))).toBe(true)
    expect(same(seen(link), seen({ ...link, link: 'y' }))).toBe(false)
    expect(same(seen(link), seen({ ...link, nlink: 2 }))).toBe(false)
  })

  test('sees another number of a device, where both are known', () => {
    const device = { type: 'char' } as const
    expect(same(seen(device, { device: '1,3' }), seen(device, { device: '1,5' }))).toBe(false)
    expect(same(seen(device, { device: '1,3' }), seen(device))).toBe(true)
    expect(same(seen(device), seen({ ...device, mode: 0o666 }))).toBe(false)
    expect(same(seen(device), seen({ ...device, nlink: 2 }))).toBe(false)
  })

  test('does not look at owners in a rootless tree', () => {
    expect(isSameObject(seen(), seen({ uid: 7, gid: 7 }), true)).toBe(true)
  })
})
