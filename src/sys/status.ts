/** What a path is: statx(2) without following links, with nanoseconds and 64-bit numbers. */
import type { ByteString } from '../bytes.ts'
import { failed } from './failure.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath, structure } from './memory.ts'

const AT_SYMLINK_NOFOLLOW = 0x100
const AT_NO_AUTOMOUNT = 0x800
const AT_EMPTY_PATH = 0x1000
const STATX_BASIC_STATS = 0x7ff
const S_IFMT = 0o170000

export type FileType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket'

const types: Readonly<Record<number, FileType>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
  0o020000: 'char',
  0o060000: 'block',
  0o010000: 'fifo',
  0o140000: 'socket'
}

/** Sizes in bytes; times as seconds (floor) and nanoseconds. */
export interface Status {
  type: FileType
  /** Permission, setuid, setgid and sticky bits. */
  mode: number
  uid: number
  gid: number
  size: number
  nlink: number
  inode: bigint
  /** Device of the file system, as `major * 2^32 + minor`. */
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
}

/** @throws SyscallError, ENOENT among them */
export function status(directory: number, name: ByteString): Status {
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name === '' ? AT_EMPTY_PATH : 0)
  const result = libc.statx(
    directory,
    firstPath.string(name),
    flags,
    STATX_BASIC_STATS,
    structure.address
  )
  if (result < 0) throw failed('statx', name)
  return read(structure.view())
}

/** struct statx, as linux/stat.h lays it out on every architecture. */
function read(view: Buffer): Status {
  const mode = view.readUInt16LE(28)
  const type = types[mode & S_IFMT]
  if (type === undefined) throw new Error(`[internal] unknown file type in mode ${mode}`)
  return {
    type,
    mode: mode & 0o7777,
    nlink: view.readUInt32LE(16),
    uid: view.readUInt32LE(20),
    gid: view.readUInt32LE(24),
    inode: view.readBigUInt64LE(32),
    size: readNumber(view, 40),
    blocks: readNumber(view, 48),
    atimeSec: readNumber(view, 64),
    atimeNsec: view.readUInt32LE(72),
    ctimeSec: readNumber(view, 96),
    ctimeNsec: view.readUInt32LE(104),
    mtimeSec: readNumber(view, 112),
    mtimeNsec: view.readUInt32LE(120),
    devMajor: view.readUInt32LE(128),
    devMinor: view.readUInt32LE(132),
    device: view.readUInt32LE(136) * 0x1_0000_0000 + view.readUInt32LE(140)
  }
}

/** A signed 64-bit field as a number: two 32-bit reads are four times as fast as one BigInt. */
function readNumber(view: Buffer, offset: number): number {
  return view.readInt32LE(offset + 4) * 0x1_0000_0000 + view.readUInt32LE(offset)
}
