/** Images of other programs, as our reader sees them, and ours as other programs do. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { crc32c } from '../../src/erofs/crc32c.ts'
import { encodeHeader } from '../../src/erofs/image-header.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { setXattr } from '../../src/sys/metadata.ts'
import { buildLayer, fileMember, staged, UUID } from '../support/erofs-image.ts'
import { readMounted } from '../support/erofs-mount.ts'
import { readAll } from '../support/erofs-read.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'

test('the checksum is that of iSCSI before the last inversion', () => {
  expect(~crc32c(Buffer.from('123456789')) >>> 0).toBe(0xe306_9283)
})

test.each([
  [0x137e, 0x137e],
  [0x137f, 0x1380],
  [0x1_138f, 0x1_1390],
  [0x2468, 0x2469],
  [0x2478, 0x2479]
])('blkid does not take an image of %i inodes for minix', (inodes, written) => {
  const root = { root: 1, blocks: 2, inodeArea: 1, uuid: UUID, incompatible: 0, devices: [] }
  expect(encodeHeader({ ...root, inodes }).readUInt32LE(1024 + 16)).toBe(written)
})

test('an image is the same for ever', () => {
  const members = [
    {
      entry: staged('directory', 'd', {
        mtime: { sec: 1, nsec: 2 },
        xattrs: [['user.a', 'b']] as const
      })
    },
    fileMember('d/f', Buffer.from('body'), { uid: 3, gid: 4 }),
    { entry: staged('symlink', 'l', { link: 'd/f' }) },
    { entry: staged('whiteout', 'w') }
  ]
  expect(outline(buildLayer(members).image)).toMatchInlineSnapshot(`
    "  400 e2e1f5e02c1f2c43030000000c00010005000000000000000000000000000000
      420 000000000300000002000000000000000102030405060708090a0b0c0d0e0f10
     1000 626f647900000000000000000000000000000000000000000000000000000000
     2020 05000600ed4100004200000000000000ffffffff010000000000000000000000
     2040 0000000000000000000000000300000000000000000000000000000000000000
     2060 0000000000000000000000000e0400006f7665726c61792e6f726967696e0000
     2080 01000000000000003c00020001000000000000003d0002000700000000000000
     20a0 3f0002000b00000000000000400007000e00000000000000410003002e2e2e64
     20c0 6c77000000000000000000000000000000000000000000000000000000000000
     20e0 05000300a44100002800000000000000ffffffff020000000000000000000000
     2100 0100000000000000020000000200000000000000000000000000000000000000
     2120 0000000000000000000000000101010061620000070000000000000024000200
     2140 0100000000000000250002001000000000000000270001002e2e2e6600000000
     2160 05000000ffa100000300000000000000ffffffff030000000000000000000000
     2180 0000000000000000000000000100000000000000000000000000000000000000
     21a0 642f660000000000000000000000000000000000000000000000000000000000
     21c0 0100000000200000000000000000000000000000040000000000000000000000
     21e0 0000000000000000000000000100000000000000000000000000000000000000
     2200 01000000a4810000040000000000000001000000050000000300000004000000
     2220 0000000000000000000000000100000000000000000000000000000000000000"
  `)
})

/** The blocks of an image, as lines of what is not zero. */
function outline(image: Buffer): string {
  const lines = Array.from({ length: image.length / 32 }, (_, i) =>
    image.subarray(i * 32, i * 32 + 32)
  )
  return lines
    .flatMap((line, i) =>
      line.some((byte) => byte !== 0)
        ? [`${(i * 32).toString(16).padStart(5)} ${line.toString('hex')}`]
        : []
    )
    .join('\n')
}

test.runIf(needs('root', 'mkfs.erofs')).each([
  { name: 'extended inodes', options: ['-Eforce-inode-extended'] },
  { name: 'compact inodes', options: ['-Eforce-inode-compact', '-T0'] },
  { name: 'shared attributes', options: ['-x1'] },
  { name: 'files behind their inodes', options: [] }
])('an image of mkfs.erofs with $name', ({ options }) => {
  withTemporary((directory) => {
    const tree = join(directory, 'tree')
    makeTree(tree)
    const image = join(directory, 'image')
    ok('mkfs.erofs', ...options, image, tree)
    const found = readAll(readFileSync(image))
    const wanted = readMounted(tree)
    expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort())
    const time = options.includes('-T0') ? { sec: 0, nsec: 0 } : undefined
    for (const [path, object] of wanted)
      expect(found.get(path)).toEqual({ ...object, mtime: time ?? object.mtime })
  })
})

function makeTree(tree: string): void {
  mkdirSync(join(tree, 'd/empty'), { recursive: true })
  symlinkSync('target', join(tree, 'l'))
  for (let i = 0; i < 300; i++) writeFileSync(join(tree, 'd', `file-${i}`), 'x'.repeat(i * 37))
  ok('ln', join(tree, 'd/file-1'), join(tree, 'd/other-1'))
  ok('mknod', join(tree, 'c'), 'c', '1', '3')
  chmodSync(join(tree, 'd/file-2'), 0o4711)
  for (const name of ['d/file-3', 'd/file-4', 'd/file-5'])
    setXattr(AT_FDCWD, join(tree, name), 'security.shared', 'the same everywhere')
  setXattr(AT_FDCWD, join(tree, 'd'), 'trusted.own', '\0')
}
