/** What a path is, by statx(2): links are not followed, times have nanoseconds, numbers have 64 bits. */
import type { ByteString, OwnedBytes } from '../bytes.ts'
import { failed } from './failed-call.ts'
import { isErrno } from './failure.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath, GrowingBlock, structure } from './memory.ts'
import type { Time } from './metadata.ts'

const AT_SYMLINK_NOFOLLOW = 0x100
const AT_NO_AUTOMOUNT = 0x800
const AT_EMPTY_PATH = 0x1000
const STATX_BASIC_STATS = 0x7ff
const STATX_BTIME = 0x800
const STATX_ATTR_MOUNT_ROOT = 0x2000
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
  return read(structure.view(), 0)
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
function look(
  directory: number,
  name: ByteString,
  address: number,
  mask: number = STATX_BASIC_STATS
): void {
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name === '' ? AT_EMPTY_PATH : 0)
  const path = firstPath.string(name)
  if (libc.statx(directory, path, flags, mask, address) < 0) throw failed('statx', name)
}

const STATX_BYTES = 256
/** The rest of a struct statx is not read, so the next record may overwrite it. */
const RECORD_BYTES = 144

/**
 * Keeps statuses as the kernel writes them. Most are only compared, and making objects of all would cost more than the
 * calls.
 */
export class StatusRecorder {
  private readonly block = new GrowingBlock()
  private used = 0

  /** Appends the status of a name and returns its type. @throws SyscallError, including ENOENT */
  add(directory: number, name: ByteString): FileType {
    this.block.reserve(this.used + STATX_BYTES, this.used)
    look(directory, name, this.block.address + this.used)
    const type = typeAt(this.block.buffer, this.used)
    this.used += RECORD_BYTES
    return type
  }

  /** All records since the last call; the memory belongs to the caller. */
  take(): OwnedBytes {
    const taken = new Uint8Array(this.block.buffer.subarray(0, this.used))
    this.used = 0
    return taken
  }
}

/** The record number `row`, counted from 0. */
export function recordedStatus(records: Buffer, row: number): Status {
  return read(records, row * RECORD_BYTES)
}

export function recordedType(records: Buffer, row: number): FileType {
  return typeAt(records, row * RECORD_BYTES)
}

/** struct statx, which linux/stat.h lays out the same on every architecture. */
function read(view: Buffer, at: number): Status {
  return {
    type: typeAt(view, at),
    mode: view.readUInt16LE(at + 28) & 0o7777,
    nlink: view.readUInt32LE(at + 16),
    uid: view.readUInt32LE(at + 20),
    gid: view.readUInt32LE(at + 24),
    inode: view.readBigUInt64LE(at + 32),
    size: readNumber(view, at + 40),
    blocks: readNumber(view, at + 48),
    atimeSec: readNumber(view, at + 64),
    atimeNsec: view.readUInt32LE(at + 72),
    ctimeSec: readNumber(view, at + 96),
    ctimeNsec: view.readUInt32LE(at + 104),
    mtimeSec: readNumber(view, at + 112),
    mtimeNsec: view.readUInt32LE(at + 120),
    devMajor: view.readUInt32LE(at + 128),
    devMinor: view.readUInt32LE(at + 132),
    device: view.readUInt32LE(at + 136) * 0x1_0000_0000 + view.readUInt32LE(at + 140),
    isMountRoot: (view.readUInt32LE(at + 8) & STATX_ATTR_MOUNT_ROOT) !== 0
  }
}

function typeAt(view: Buffer, at: number): FileType {
  const mode = view.readUInt16LE(at + 28)
  const type = types[mode & S_IFMT]
  if (type === undefined) throw new Error(`[internal] unknown file type in mode ${mode}`)
  return type
}

/** A signed 64-bit field as a number. Two 32-bit reads are four times as fast as one BigInt. */
function readNumber(view: Buffer, offset: number): number {
  return view.readInt32LE(offset + 4) * 0x1_0000_0000 + view.readUInt32LE(offset)
}
