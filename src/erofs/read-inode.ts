/** Reads the record of an inode, compact or extended. */
import type { Timespec } from '../tar/entry.ts'
import {
  BLOCK,
  COMPACT_SIZE,
  EXTENDED_SIZE,
  FILE_TYPES,
  INODE,
  LAYOUT,
  MAX_TARGET,
  SLOT,
  TYPE_BITS,
  XATTR_HEADER,
  type FileType
} from './format.ts'
import { invalid, readBytes, readU64, type ReadableDevice } from './read-source.ts'
import type { Superblock } from './read-superblock.ts'

export interface ImageInode {
  nid: number
  type: FileType
  /** Permission, setuid, setgid and sticky bits. */
  mode: number
  uid: number
  gid: number
  mtime: Timespec
  size: number
  links: number
  /** Of special files; otherwise 0. */
  devMajor: number
  devMinor: number
  layout: number
  /** By type and layout: the first block, or the format of chunks. */
  start: number
  /** Where its attributes begin in the image, and how many bytes they have. */
  xattrsAt: number
  xattrBytes: number
}

/** @throws EROFS_INVALID */
export function readInode(image: ReadableDevice, superblock: Superblock, nid: number): ImageInode {
  const at = superblock.inodeArea * BLOCK + nid * SLOT
  const first = readBytes(image, at, COMPACT_SIZE)
  const format = first.readUInt16LE(INODE.format)
  const isExtended = (format & 1) === 1
  const size = isExtended ? EXTENDED_SIZE : COMPACT_SIZE
  if (at + size > superblock.blocks * BLOCK)
    throw invalid('an inode lies outside of the image', { offset: at })
  const own = isExtended
    ? extendedFields(readBytes(image, at, EXTENDED_SIZE))
    : compactFields(first, superblock)
  const inode = {
    nid,
    ...typeFields(first, at),
    ...own,
    ...deviceFields(first),
    layout: format >> 1,
    start: first.readUInt32LE(INODE.start),
    xattrsAt: at + size,
    xattrBytes: xattrBytes(first.readUInt16LE(INODE.xattrCount))
  }
  refuseOddities(inode, superblock, at)
  return isDevice(inode) ? inode : { ...inode, devMajor: 0, devMinor: 0 }
}

function typeFields(bytes: Buffer, offset: number): Pick<ImageInode, 'type' | 'mode'> {
  const mode = bytes.readUInt16LE(INODE.mode)
  const type = TYPES.get(mode & TYPE_BITS)
  if (type === undefined) throw invalid('an inode has no known type', { offset })
  return { type, mode: mode & ~TYPE_BITS }
}

const TYPES = new Map(
  Object.entries(FILE_TYPES).map(([type, { mode }]) => [mode, type as FileType])
)

type OwnFields = Pick<ImageInode, 'size' | 'uid' | 'gid' | 'links' | 'mtime'>

function extendedFields(bytes: Buffer): OwnFields {
  return {
    size: readU64(bytes, INODE.size, 'a size'),
    uid: bytes.readUInt32LE(INODE.uid),
    gid: bytes.readUInt32LE(INODE.gid),
    links: bytes.readUInt32LE(INODE.links),
    mtime: {
      sec: Number(bytes.readBigInt64LE(INODE.seconds)),
      nsec: bytes.readUInt32LE(INODE.nanoseconds)
    }
  }
}

/** Where a compact inode has other fields than an extended one. */
const COMPACT = { links: 6, size: 8, seconds: 12, uid: 24, gid: 26 } as const

function compactFields(bytes: Buffer, { epoch }: Superblock): OwnFields {
  return {
    size: bytes.readUInt32LE(COMPACT.size),
    uid: bytes.readUInt16LE(COMPACT.uid),
    gid: bytes.readUInt16LE(COMPACT.gid),
    links: bytes.readUInt16LE(COMPACT.links),
    mtime: { sec: epoch.sec + bytes.readUInt32LE(COMPACT.seconds), nsec: epoch.nsec }
  }
}

function deviceFields(bytes: Buffer): Pick<ImageInode, 'devMajor' | 'devMinor'> {
  const device = bytes.readUInt32LE(INODE.start)
  return {
    devMajor: (device >>> 8) & 0xfff,
    devMinor: (device & 0xff) | ((device >>> 12) & 0xf_ff00)
  }
}

function xattrBytes(count: number): number {
  return count === 0 ? 0 : XATTR_HEADER + (count - 1) * 4
}

function isDevice({ type }: ImageInode): boolean {
  return type === 'char' || type === 'block'
}

function refuseOddities(inode: ImageInode, superblock: Superblock, offset: number): void {
  const { type, layout, size, mtime, links } = inode
  const isFile = type === 'file'
  if (layout !== LAYOUT.plain && layout !== LAYOUT.inline && layout !== LAYOUT.chunks)
    throw invalid('the content of an inode lies in a way that is not supported', { offset })
  if (layout === LAYOUT.chunks && !(isFile && superblock.hasChunks))
    throw invalid('an inode has chunks that is not a file, or in an image without chunks', {
      offset
    })
  if (!isFile && size > superblock.blocks * BLOCK)
    throw invalid('an inode is larger than the image', { offset })
  if (!(isFile || type === 'directory' || type === 'symlink') && size !== 0)
    throw invalid('a special file has content', { offset })
  if (type === 'symlink' && size > MAX_TARGET)
    throw invalid('the target of a link is longer than a path can be', { offset })
  if (mtime.nsec > 999_999_999) throw invalid('a time has too many nanoseconds', { offset })
  if (links === 0) throw invalid('an inode with a name has no links', { offset })
}
