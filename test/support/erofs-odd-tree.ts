/** A small tree with every kind of object, and what writers and kernels find hard. */
import { fileMember, staged, type LayerMember } from './erofs-image.ts'

const OLD = { sec: -5, nsec: 123_456_789 }
const FAR = { sec: 2 ** 34, nsec: 1 }
const ACL = Buffer.from('0200000001000600ffffffff04000400ffffffff20000400ffffffff', 'hex').toString(
  'latin1'
)

function filled(size: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) >> 3))
}

export function oddTree(): LayerMember[] {
  return [
    { entry: staged('directory', '', { mode: 0o1755, uid: 1, gid: 2, mtime: FAR }) },
    {
      entry: staged('directory', 'd', { mode: 0o2750, uid: 70_000, gid: 0xffff_fffe, mtime: OLD })
    },
    { entry: staged('directory', 'd/empty', { mode: 0 }) },
    fileMember('d/setuid', filled(10_000, 1), { mode: 0o4755, mtime: OLD, uid: 0x1_0000 }),
    fileMember('d/empty-file', Buffer.alloc(0), { mtime: FAR }),
    fileMember('d/one', Buffer.from('1')),
    fileMember('d/block', filled(4096, 2)),
    fileMember('d/more', filled(4097, 3)),
    { entry: staged('hardlink', 'd/again', { link: 'd/more' }) },
    { entry: staged('hardlink', 'z', { link: 'd/more' }) },
    {
      entry: staged('symlink', 'l', { link: '/absolute', mtime: OLD, xattrs: [['trusted.l', 'v']] })
    },
    { entry: staged('hardlink', 'l2', { link: 'l' }) },
    ...[4031, 4032, 4033, 4095].map((length) => ({
      entry: staged('symlink', `long-${length}`, { link: 'x'.repeat(length) })
    })),
    {
      entry: staged('char', 'c', { devMajor: 1, devMinor: 3, xattrs: [['security.c', '\0\xff']] })
    },
    { entry: staged('block', 'b', { devMajor: 0xfff, devMinor: 0xf_ffff }) },
    { entry: staged('fifo', 'p', { mode: 0o600 }) },
    fileMember('xattrs', Buffer.from('x'), {
      xattrs: [
        ['user.empty', ''],
        ['user.binary', '\0\x01\xfe'],
        [`user.${'n'.repeat(250)}`, 'long name'],
        ['user.big', 'b'.repeat(65_535)],
        ['system.posix_acl_access', ACL],
        ['security.capability', '\x01\0\0\x02\0\x04' + '\0'.repeat(14)]
      ]
    }),
    fileMember('many-xattrs', Buffer.from('y'), {
      xattrs: Array.from({ length: 300 }, (_, i) => [`user.${i}`, String(i)] as const)
    }),
    ...['!a', '-x', '.-x', '...', 'A', '\xff\xfe', 'ü', 'n'.repeat(255)].map((name) =>
      fileMember(`names-${'d'.repeat(10)}/${name}`, Buffer.from(name))
    ),
    ...Array.from({ length: 2000 }, (_, i) => fileMember(`many/entry-${i}`, Buffer.from(`${i}`))),
    sparse('sparse/small-hole', 300_000, [4096, 10, 299_000, 1000]),
    sparse('sparse/large-hole', 5_000_000, [0, 10, 4_500_000, 5000]),
    sparse('sparse/all', 3_000_000, [])
  ]
}

/** A sparse file whose stored bytes are not zeros. */
export function sparse(path: string, size: number, extents: readonly number[]): LayerMember {
  const stored = extents.reduce((sum, value, i) => (i % 2 === 1 ? sum + value : sum), 0)
  return {
    entry: staged('file', path, { size }),
    body: filled(stored, 9).map((byte) => byte | 1),
    extents
  }
}
