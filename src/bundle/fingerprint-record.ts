/** One object in a file of fingerprints: 40 bytes, all numbers little-endian. */
import type { FingerprintRecord } from '../plan/seen-tree.ts'
import type { Timespec } from '../tar/entry.ts'

/** What lstat(2) reports of a file, and no write to the file leaves unchanged. */
export interface FileStat {
  dev: number | bigint
  ino: number | bigint
  /** In bytes; for a device its number (st_rdev), which no keyword of the tree manifest contains. */
  size: number
  mtime: Timespec
  ctime: Timespec
}

/** Where the fields of a record are: two of 64 bits, the seconds of two times as i64, then their nanoseconds. */
export const RECORD = {
  inode: 0,
  size: 8,
  mtime: 16,
  ctime: 24,
  mtimeNsec: 32,
  ctimeNsec: 36
} as const
export const RECORD_BYTES = 40

/** A value that no clock shows: marks the record of a file without a usable fingerprint. */
const NO_NSEC = 0xffff_ffff

/** Writes a record. Undefined, and a file on another device, has no usable fingerprint. */
export function putRecord(
  view: DataView,
  at: number,
  device: number | bigint,
  stat: FileStat | undefined
): void {
  if (stat === undefined || !isSameInteger(stat.dev, device)) {
    view.setUint32(at + 36, NO_NSEC, true)
    return
  }
  putInteger(view, at, stat.ino)
  putInteger(view, at + 8, stat.size)
  putInteger(view, at + 16, stat.mtime.sec)
  putInteger(view, at + 24, stat.ctime.sec)
  view.setUint32(at + 32, stat.mtime.nsec, true)
  view.setUint32(at + 36, stat.ctime.nsec, true)
}

/** Whether a record contains these numbers. */
export function hasRecord(view: DataView, at: number, stat: FileStat): boolean {
  return (
    hasInteger(view, at, stat.ino) &&
    hasInteger(view, at + 8, stat.size) &&
    hasInteger(view, at + 16, stat.mtime.sec) &&
    hasInteger(view, at + 24, stat.ctime.sec) &&
    view.getUint32(at + 32, true) === stat.mtime.nsec &&
    view.getUint32(at + 36, true) === stat.ctime.nsec
  )
}

/** Undefined if there is no usable fingerprint. */
export function getRecord(view: DataView, at: number): FingerprintRecord | undefined {
  if (view.getUint32(at + 36, true) === NO_NSEC) return undefined
  return {
    inode: view.getBigUint64(at, true),
    size: view.getUint32(at + 12, true) * 2 ** 32 + view.getUint32(at + 8, true),
    mtimeNsec: view.getUint32(at + 32, true)
  }
}

/** Writes two halves of a number, because making a BigInt of each would take most of the time. */
export function putInteger(view: DataView, at: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    view.setBigUint64(at, value, true)
    return
  }
  view.setUint32(at, lowHalf(value), true)
  view.setUint32(at + 4, highHalf(value), true)
}

function hasInteger(view: DataView, at: number, value: number | bigint): boolean {
  return (
    view.getUint32(at, true) === lowHalf(value) && view.getUint32(at + 4, true) === highHalf(value)
  )
}

/** Modulo 2^32; negative numbers in two's complement. */
function lowHalf(value: number | bigint): number {
  return typeof value === 'bigint' ? Number(BigInt.asUintN(32, value)) : value >>> 0
}

function highHalf(value: number | bigint): number {
  return typeof value === 'bigint'
    ? Number(BigInt.asUintN(32, value >> 32n))
    : Math.floor(value / 2 ** 32) >>> 0
}

export function getInteger(view: DataView, at: number): number | bigint {
  const value = view.getBigUint64(at, true)
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

export function isSameInteger(a: number | bigint, b: number | bigint): boolean {
  return a === b || (typeof a !== typeof b && BigInt(a) === BigInt(b))
}
