/** What EROFS cannot hold is refused by name. */
import { expect, test } from 'vitest'
import { BodyPlaces } from '../../src/erofs/bodies.ts'
import type { ImageObject } from '../../src/erofs/image-object.ts'
import { BARE_DIRECTORY, ImageTree, ROOT } from '../../src/erofs/image-tree.ts'
import { mergedImage } from '../../src/erofs/write-image.ts'
import { xattrFault } from '../../src/erofs/xattrs.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { buildLayer, staged, UUID } from '../support/erofs-image.ts'
import { failure } from '../support/failure.ts'

const xattr = (name: string, value = ''): Partial<StagedEntry> => ({ xattrs: [[name, value]] })
const manyXattrs = Array.from({ length: 5 }, (_, i) => [`user.${i}`, 'x'.repeat(65_000)] as const)

test.each([
  {
    fields: xattr('system.nfs4_acl', 'x'),
    reason: 'the prefix of the xattr "system.nfs4_acl" is not one of EROFS'
  },
  {
    fields: xattr('btrfs.compression'),
    reason: 'the prefix of the xattr "btrfs.compression" is not one of EROFS'
  },
  {
    fields: xattr('system.posix_acl_access2'),
    reason: 'the prefix of the xattr "system.posix_acl_access2" is not one of EROFS'
  },
  { fields: xattr('user.'), reason: 'the xattr "user." has nothing after its prefix' },
  { fields: xattr('user.a\0b'), reason: 'the name of the xattr "user.a\\x00b" contains a NUL' },
  {
    fields: xattr(`user.${'n'.repeat(256)}`),
    reason: `the name of the xattr "user.${'n'.repeat(256)}" is longer than 255 bytes`
  },
  {
    fields: xattr('user.big', 'v'.repeat(65_536)),
    reason: 'the xattr "user.big" has 65536 bytes of at most 65535'
  },
  { fields: { xattrs: manyXattrs }, reason: 'its xattrs fill 325052 bytes of at most 262148' },
  { fields: { uid: 2 ** 32 }, reason: '4294967296 is not an id of 32 bits' },
  { fields: { gid: -1 }, reason: '-1 is not an id of 32 bits' },
  { fields: { mtime: { sec: 0.5, nsec: 0 } }, reason: 'its time is out of range' },
  { fields: { mtime: { sec: 0, nsec: 1e9 } }, reason: 'its time is out of range' },
  {
    fields: { type: 'char', devMajor: 0x1000 } as const,
    reason: 'the device number 4096:0 has more than 12 and 20 bits'
  },
  {
    fields: { type: 'block', devMinor: 0x10_0000 } as const,
    reason: 'the device number 0:1048576 has more than 12 and 20 bits'
  },
  {
    fields: { type: 'symlink', link: '' } as const,
    reason: 'the target of the link is empty or contains a NUL'
  },
  {
    fields: { type: 'symlink', link: 'x'.repeat(4096) } as const,
    reason: 'the target of the link has 4096 bytes of at most 4095'
  }
])('$reason', ({ fields, reason }) => {
  const entry = staged('fifo', 'd/odd', fields)
  expect(failure(() => buildLayer([{ entry }]))).toMatchObject({
    code: 'ENTRY_INVALID',
    facts: { entry: 'd/odd', reason }
  })
})

test.each(['', '.', '..', 'a/b', 'a\0b', 'n'.repeat(256)])('%j is not a name', (name) => {
  const tree = new ImageTree()
  const inode = tree.add(BARE_DIRECTORY)
  expect(failure(() => tree.setName(ROOT, name, inode))).toMatchObject({ code: 'ENTRY_INVALID' })
})

test('a file without a place for its body is a mistake of the caller', () => {
  expect(() => new ImageTree().add(staged('file', 'f', { size: 1 }) as ImageObject)).toThrow(
    /no place/
  )
})

test('every attribute can be asked about before it is written', () => {
  expect(xattrFault(['system.posix_acl_default', 'x'])).toBeUndefined()
  expect(xattrFault(['trusted.overlay.opaque', 'y'])).toBeUndefined()
  expect(xattrFault(['lustre.lov', 'x'])).toMatch(/prefix/)
})

test('the bodies of a layer have 16 TiB', () => {
  const places = new BodyPlaces()
  places.place(15 * 2 ** 40)
  expect(failure(() => places.place(2 ** 40))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
})

test('all devices together have 16 TiB', () => {
  const devices = [{ blocks: 2 ** 31 }, { blocks: 2 ** 31 }]
  const options = { devices, form: 'devices', uuid: UUID } as const
  expect(failure(() => mergedImage(new ImageTree(), options))).toMatchObject({
    code: 'LIMIT_EXCEEDED'
  })
})

test('there are at most 65,535 devices', () => {
  const devices = Array.from({ length: 65_536 }, () => ({ blocks: 1 }))
  const options = { devices, form: 'linear', uuid: UUID } as const
  expect(failure(() => mergedImage(new ImageTree(), options))).toMatchObject({
    code: 'LIMIT_EXCEEDED'
  })
})
