import { describe, expect, test } from 'vitest'
import {
  packHardlink,
  packObject,
  packOpaque,
  packWhiteout,
  type PackedObject,
  type PackRules
} from '../../src/plan/pack-entry.ts'
import { failure } from '../support/failure.ts'

const RULES: PackRules = { policy: { kind: 'exact', uidMap: [], gidMap: [] }, epoch: undefined }

function object(more: Partial<PackedObject> = {}): PackedObject {
  return {
    type: 'file',
    link: '',
    mode: 0o4755,
    uid: 1,
    gid: 2,
    size: 3,
    mtime: { sec: 100, nsec: 5 },
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
    ...more
  }
}

describe('packObject', () => {
  test.each([
    ['a user', 2],
    ['a group', 8]
  ])('refuses an ACL that names %s whom the user namespace does not have', (_who, tag) => {
    const acl = (id: number): string => {
      const bytes = Buffer.alloc(12)
      bytes.writeUInt32LE(2, 0)
      bytes.writeUInt16LE(tag, 4)
      bytes.writeUInt32LE(id, 8)
      return bytes.toString('latin1')
    }
    const pack = (id: number) => () =>
      packObject('x', object({ xattrs: [['system.posix_acl_access', acl(id)]] }), RULES)
    expect(failure(pack(0xffff_ffff))).toMatchObject({
      code: 'ID_NOT_MAPPED',
      facts: { entry: 'x', found: 'system.posix_acl_access' }
    })
    expect(pack(33)().xattrs).toHaveLength(1)
  })

  test('takes a remembered owner, unless an attribute says another one since', () => {
    const policy = {
      kind: 'rootless',
      uid: 5,
      gid: 5,
      hasMemory: true,
      uidMap: [],
      gidMap: []
    } as const
    const rules: PackRules = { ...RULES, policy }
    const unheld = { uid: 9, gid: 9, xattrs: [['trusted.a', 'b']] } as const
    expect(packObject('x', object(), rules, unheld)).toMatchObject(unheld)
    const told = object({ xattrs: [['user.rootlesscontainers', '\x08\x01']] })
    expect(packObject('x', told, rules, unheld)).toMatchObject({ ...unheld, uid: 1, gid: 0 })
  })

  test.each([
    ['directory', 'd', 'd/'],
    ['directory', '.', '.'],
    ['file', 'd', 'd'],
    ['symlink', 'd', 'd']
  ] as const)('names a %s %s as %s', (type, name, expected) => {
    expect(packObject(name, object({ type }), RULES).name).toBe(expected)
  })

  test('gives a size only to files and a device number only to devices', () => {
    const numbers = { size: 9, devMajor: 8, devMinor: 7 }
    const sizes = (type: PackedObject['type']): number[] => {
      const { size, devMajor, devMinor } = packObject('x', object({ type, ...numbers }), RULES)
      return [size, devMajor, devMinor]
    }
    expect(sizes('file')).toEqual([9, 0, 0])
    expect(sizes('block')).toEqual([0, 8, 7])
    expect(sizes('char')).toEqual([0, 8, 7])
    expect(sizes('directory')).toEqual([0, 0, 0])
    expect(sizes('fifo')).toEqual([0, 0, 0])
  })

  test('maps owners back to those of the container', () => {
    const uidMap = [{ containerId: 0, hostId: 1000, size: 10 }]
    const gidMap = [{ containerId: 5, hostId: 2000, size: 1 }]
    const rules: PackRules = { ...RULES, policy: { kind: 'exact', uidMap, gidMap } }
    const entry = packObject('x', object({ uid: 1003, gid: 2000 }), rules)
    expect([entry.uid, entry.gid]).toEqual([3, 5])
  })

  test('says which entry has an owner that the container does not know', () => {
    const uidMap = [{ containerId: 0, hostId: 1000, size: 10 }]
    const rules: PackRules = { ...RULES, policy: { kind: 'exact', uidMap, gidMap: [] } }
    expect(failure(() => packObject('d/\xff', object({ uid: 3 }), rules))).toMatchObject({
      code: 'ID_NOT_MAPPED',
      facts: { entry: 'd/\\xff' }
    })
  })

  test.each([
    [{ sec: 100, nsec: 5 }, 99, { sec: 99, nsec: 0 }],
    [{ sec: 100, nsec: 5 }, 100, { sec: 100, nsec: 0 }],
    [{ sec: 100, nsec: 0 }, 100, { sec: 100, nsec: 0 }],
    [{ sec: 100, nsec: 5 }, 101, { sec: 100, nsec: 5 }],
    [{ sec: 100, nsec: 5 }, -7, { sec: -7, nsec: 0 }]
  ])('writes the time %j for SOURCE_DATE_EPOCH %i as %j', (mtime, epoch, expected) => {
    expect(packObject('x', object({ mtime }), { ...RULES, epoch }).mtime).toEqual(expected)
  })

  test('leaves out the attributes that belong to the host', () => {
    const xattrs = [
      ['security.selinux', 'label'],
      ['security.capability', '\0'],
      ['system.nfs4_acl', 'x'],
      ['trusted.SGI_ACL_FILE', 'x'],
      ['user.a', 'b']
    ] as const
    expect(packObject('x', object({ xattrs }), RULES).xattrs.map(([name]) => name)).toEqual([
      'security.capability',
      'user.a'
    ])
  })
})

test('a further name repeats everything but the content', () => {
  const first = packObject('a', object({ xattrs: [['user.a', 'b']] }), RULES)
  expect(packHardlink(first, 'b', 'a')).toEqual({
    ...first,
    type: 'hardlink',
    name: 'b',
    link: 'a',
    size: 0
  })
})

test.each([
  ['whiteout', packWhiteout('d/x'), 'd/.wh.x'],
  ['whiteout at the root', packWhiteout('x'), '.wh.x'],
  ['opaque marker', packOpaque('d'), 'd/.wh..wh..opq'],
  ['opaque marker of the root', packOpaque(''), '.wh..wh..opq']
])('a %s is an empty file of which all but the name is zero', (_kind, entry, name) => {
  expect(entry).toEqual({
    type: 'file',
    name,
    link: '',
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { sec: 0, nsec: 0 },
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
    offset: 0
  })
})
