/**
 * The numbers of EROFS that writer and reader share (Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h of the
 * kernel). All numbers on disk are little endian. Images are written without compression, with blocks of 4 KiB.
 */
import type { EntryType } from '../tar/entry.ts'

export const BLOCK = 4096
/** In place of the number of a block: there is none. */
export const NO_BLOCK = 0xffff_ffff
/** Numbers of blocks have 32 bits, on each device and in the concatenation of all of them. */
export const MAX_BLOCKS = 0xffff_ffff

export const SUPERBLOCK_AT = 1024
export const SUPERBLOCK_SIZE = 128
export const MAGIC = 0xe0f5_e1e2

/** Offsets within the superblock. */
export const SUPERBLOCK = {
  magic: 0,
  checksum: 4,
  compatible: 8,
  blockBits: 12,
  extensions: 13,
  root: 14,
  inodes: 16,
  epoch: 24,
  epochNanoseconds: 32,
  blocks: 36,
  inodeArea: 40,
  sharedXattrs: 44,
  uuid: 48,
  incompatible: 80,
  compression: 84,
  devices: 86,
  deviceTable: 88,
  directoryBits: 90
} as const

export const COMPATIBLE = { checksum: 1, mtime: 2 } as const
export const INCOMPATIBLE = { chunks: 4, devices: 8 } as const

/** One device: a tag of 64 bytes, its length in blocks, and where it begins if all devices are one. */
export const DEVICE_SLOT = { size: 128, blocks: 64, start: 68 } as const

/** The unit of inode numbers. */
export const SLOT = 32
export const COMPACT_SIZE = 32
export const EXTENDED_SIZE = 64

/** Offsets within an extended inode. */
export const INODE = {
  format: 0,
  xattrCount: 2,
  mode: 4,
  size: 8,
  /** By type and layout: the first block, the device number or the size of chunks. */
  start: 16,
  serial: 20,
  uid: 24,
  gid: 28,
  seconds: 32,
  nanoseconds: 40,
  links: 44
} as const

/** How the content of an inode lies: in blocks, in blocks and a tail behind the inode, or in chunks. */
export const LAYOUT = { plain: 0, inline: 2, chunks: 4 } as const

/** In the field that says how large chunks are: each has an index of 8 bytes, which can name a device. */
export const CHUNK_INDEXES = 0x20
export const CHUNK_INDEX_SIZE = 8
/** A chunk has at most 2^31 blocks. */
export const MAX_CHUNK_BITS = 31

export const DIRENT_SIZE = 12
export const MAX_NAME = 255
/** Longest target of a symbolic link (PATH_MAX without the closing NUL). */
export const MAX_TARGET = 4095

export const XATTR_HEADER = 12
export const XATTR_ENTRY = 4

export type FileType = Exclude<EntryType, 'hardlink'> | 'socket'

/** The type in a mode, and in an entry of a directory. */
export const FILE_TYPES: Readonly<Record<FileType, { mode: number; dirent: number }>> = {
  file: { mode: 0o100000, dirent: 1 },
  directory: { mode: 0o040000, dirent: 2 },
  char: { mode: 0o020000, dirent: 3 },
  block: { mode: 0o060000, dirent: 4 },
  fifo: { mode: 0o010000, dirent: 5 },
  socket: { mode: 0o140000, dirent: 6 },
  symlink: { mode: 0o120000, dirent: 7 }
}
export const TYPE_BITS = 0o170000

/** The number of blocks that `bytes` fill. */
export function blocksOf(bytes: number): number {
  return Math.ceil(bytes / BLOCK)
}

/** The next multiple of `unit`, a power of two. */
export function aligned(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}
