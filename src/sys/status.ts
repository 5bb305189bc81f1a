/** What a path is, by statx(2): links are not followed, times have nanoseconds, numbers have 64 bits. */
import type { ByteString } from '../bytes.ts'
import { failed } from './failed-call.ts'
import { isErrno } from './failure.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath, structure } from './memory.ts'
import type { Time } from './metadata.ts'

const AT_SYMLINK_NOFOLLOW = 0x100
const AT_NO_AUTOMOUNT = 0x800
const AT_EMPTY_PATH = 0x1000
const STATX_BASIC_STATS = 0x7ff
const STATX_BTIME = 0x800
const STATX_ATTR_MOUNT_ROOT = 0x2000
const S_IFMT = 0o170000

export type FileType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket'

const S_IFDIR = 0o040000

/** Asked of every object, and a switch takes a tenth of the time of a look-up by such numbers. */
function typeOf(mode: number): FileType {
  switch (mode & S_IFMT) {
    case 0o100000:
      return 'file'
    case S_IFDIR:
      return 'directory'
    case 0o120000:
      return 'symlink'
    case 0o020000:
      return 'char'
    case 0o060000:
      return 'block'
    case 0o010000:
      return 'fifo'
    case 0o140000:
      return 'socket'
    default:
      throw new Error(`[internal] unknown file type in mode ${mode}`)
  }
}

/** Sizes in bytes; times as seconds (floor) and nanoseconds. */
export interface Status {
  type: FileType
  /** Permissions, with setuid, setgid and sticky bits. */
  mode: number
  uid: number
  gid: number
  size: number
  nlink: number
  inode: bigint
  /** The device of the file system, as `major * 2^32 + minor`. */
  device: number
  devMajor: number
  devMinor: number
  mtimeSec: number
  mtimeNsec: number
  ctimeSec: number
  ctimeNsec: number
  atimeSec: number
  atimeNsec: number
  blocks: number
  /**
   * Whether this is a mount point (Linux 5.8; on older kernels, bind mounts of one file system look like directories).
   */
  isMountRoot: boolean
}

/** A text that is the same for all names of one file and different for every other file. */
export function inodeKey({ device, inode }: Pick<Status, 'device' | 'inode'>): string {
  return `${device}:${inode}`
}

/** @throws SyscallError, including ENOENT */
export function status(directory: number, name: ByteString): Status {
  look(directory, name, structure.address)
  return readStatx(structure.view(), 0)
}

/** Undefined if the name does not exist. @throws SyscallError */
export function statusIfThere(directory: number, name: ByteString): Status | undefined {
  try {
    return status(directory, name)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** When an object was made; undefined if the file system does not record it. @throws SyscallError */
export function birthTime(directory: number, name: ByteString): Time | undefined {
  look(directory, name, structure.address, STATX_BTIME)
  const view = structure.view()
  if ((view.readUInt32LE(0) & STATX_BTIME) === 0) return undefined
  return { sec: readNumber(view, 80), nsec: view.readUInt32LE(88) }
}

/** Lets the kernel write a struct statx of 256 bytes to `address`. */
export function look(
  directory: number,
  name: ByteString,
  address: number,
  mask: number = STATX_BASIC_STATS
): void {
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name === '' ? AT_EMPTY_PATH : 0)
  const path = firstPath.string(name)
  if (libc.statx(directory, path, flags, mask, address) < 0) throw failed('statx', name)
}

/** Where the fields of a struct statx are, which linux/stat.h lays out the same on every architecture. */
export const STATX = {
  attributes: 8,
  nlink: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  inode: 32,
  size: 40,
  blocks: 48,
  atime: 64,
  ctime: 96,
  mtime: 112,
  special: 128,
  device: 136
} as const
/** Of a time: behind the seconds. */
export const NSEC = 8

export function readStatx(view: Buffer, at: number): Status {
  return {
    type: typeAt(view, at),
    mode: view.readUInt16LE(at + STATX.mode) & 0o7777,
    nlink: view.readUInt32LE(at + STATX.nlink),
    uid: view.readUInt32LE(at + STATX.uid),
    gid: view.readUInt32LE(at + STATX.gid),
    inode: view.readBigUInt64LE(at + STATX.inode),
    size: readNumber(view, at + STATX.size),
    blocks: readNumber(view, at + STATX.blocks),
    atimeSec: readNumber(view, at + STATX.atime),
    atimeNsec: view.readUInt32LE(at + STATX.atime + NSEC),
    ctimeSec: readNumber(view, at + STATX.ctime),
    ctimeNsec: view.readUInt32LE(at + STATX.ctime + NSEC),
    mtimeSec: readNumber(view, at + STATX.mtime),
    mtimeNsec: view.readUInt32LE(at + STATX.mtime + NSEC),
    devMajor: view.readUInt32LE(at + STATX.special),
    devMinor: view.readUInt32LE(at + STATX.special + 4),
    device:
      view.readUInt32LE(at + STATX.device) * 0x1_0000_0000 +
      view.readUInt32LE(at + STATX.device + 4),
    isMountRoot: (view.readUInt32LE(at + STATX.attributes) & STATX_ATTR_MOUNT_ROOT) !== 0
  }
}

export function deviceAt(view: Buffer, at: number): number {
  const major = view.readUInt32LE(at + STATX.device)
  return major * 0x1_0000_0000 + view.readUInt32LE(at + STATX.device + 4)
}

export function ctimeAt(view: Buffer, at: number): Time {
  return {
    sec: readNumber(view, at + STATX.ctime),
    nsec: view.readUInt32LE(at + STATX.ctime + NSEC)
  }
}

export function typeAt(view: Buffer, at: number): FileType {
  return typeOf(view.readUInt16LE(at + STATX.mode))
}

/** A signed 64-bit field as a number. Two 32-bit reads are four times as fast as one BigInt. */
function readNumber(view: Buffer, offset: number): number {
  return view.readInt32LE(offset + 4) * 0x1_0000_0000 + view.readUInt32LE(offset)
}
