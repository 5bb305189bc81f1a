import type { Timespec } from '../tar/entry.ts'

/** What lstat(2) says of a file and no write to it leaves as it was. */
export interface FileStat {
  dev: number | bigint
  ino: number | bigint
  /** Bytes; for a device its number (st_rdev), which no keyword of the manifest holds. */
  size: number
  mtime: Timespec
  ctime: Timespec
}

export interface FingerprintsHeader {
  /** The device that holds the root of the tree. Files on others have no usable fingerprint. */
  device: number | bigint
  /** CLOCK_REALTIME from before the first file was looked at. */
  scannedAt: Timespec
  /** SHA-256 (64 hex digits) of the manifest file whose entries the records follow. */
  manifestSha256: string
}

/** A decoded file; records are read in place, so decoding costs nothing whatever their number. */
export interface Fingerprints extends FingerprintsHeader {
  count: number
  records: DataView
}

/** Why a file of fingerprints cannot be used. Then everything has to be hashed; nothing is lost but time. */
export type Unusable = 'no-fingerprints' | 'unknown-version' | 'wrong-length' | 'other-manifest'

/*
 * The file, all numbers little-endian:
 *   0 magic, 8 bytes | 8 version u32 | 12 count u32 | 16 device u64 | 24 scan seconds i64 | 32 scan ns u32
 *   | 36 zero u32 | 40 SHA-256 of the manifest, 32 bytes | 72 records of 40 bytes, in the manifest's order:
 *   0 inode u64 | 8 size u64 | 16 mtime seconds i64 | 24 ctime seconds i64 | 32 mtime ns u32 | 36 ctime ns u32
 */
const MAGIC = 'oci-prnt'
const VERSION = 1
const HEADER_BYTES = 72
const RECORD_BYTES = 40

/** No clock shows it: the record of a file that has no usable fingerprint. */
const NO_NSEC = 0xffff_ffff

/** Kernels stamp files with the time of the last tick: 10 ms at CONFIG_HZ=100. */
const TICK_NSEC = 10_000_000

/** File systems that keep whole seconds only (FAT: two of them). */
const COARSE_SECONDS = 2

/** The file for a tree whose manifest lists entries with these stats in this order (undefined: unknown). */
export function encodeFingerprints(
  header: FingerprintsHeader,
  stats: readonly (FileStat | undefined)[]
): Buffer {
  const records = new FingerprintRecords(header.device)
  for (const stat of stats) records.add(stat)
  return records.encode(header.scannedAt, header.manifestSha256)
}

/** Collects records in the order of the manifest's lines, 40 bytes each, while the manifest is written. */
export class FingerprintRecords {
  private readonly device: number | bigint
  private bytes = Buffer.alloc(HEADER_BYTES + 1024 * RECORD_BYTES)
  private view = viewOf(this.bytes)
  private count = 0

  constructor(device: number | bigint) {
    this.device = device
  }

  /** 100,000 of them take about 5 ms. */
  add(stat: FileStat | undefined): void {
    const at = HEADER_BYTES + this.count * RECORD_BYTES
    if (at + RECORD_BYTES > this.bytes.length) this.grow()
    putRecord(this.view, at, this.device, stat)
    this.count += 1
  }

  /** The file. */
  encode(scannedAt: Timespec, manifestSha256: string): Buffer {
    const { bytes, view } = this
    bytes.write(MAGIC, 0, 'latin1')
    view.setUint32(8, VERSION, true)
    view.setUint32(12, this.count, true)
    putInteger(view, 16, this.device)
    putInteger(view, 24, scannedAt.sec)
    view.setUint32(32, scannedAt.nsec, true)
    bytes.write(manifestSha256, 40, 'hex')
    return bytes.subarray(0, HEADER_BYTES + this.count * RECORD_BYTES)
  }

  private grow(): void {
    const larger = Buffer.alloc(this.bytes.length * 2)
    larger.set(this.bytes)
    this.bytes = larger
    this.view = viewOf(larger)
  }
}

/** Reads a file of fingerprints that must belong to the manifest with this SHA-256. */
export function decodeFingerprints(
  bytes: Uint8Array,
  manifestSha256: string
): Fingerprints | Unusable {
  const view = viewOf(bytes)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.toString('latin1', 0, 8) !== MAGIC || buffer.length < HEADER_BYTES) {
    return 'no-fingerprints'
  }
  if (view.getUint32(8, true) !== VERSION) return 'unknown-version'
  const count = view.getUint32(12, true)
  if (buffer.length !== HEADER_BYTES + count * RECORD_BYTES) return 'wrong-length'
  if (buffer.toString('hex', 40, 72) !== manifestSha256) return 'other-manifest'
  return {
    device: getInteger(view, 16),
    scannedAt: { sec: Number(view.getBigInt64(24, true)), nsec: view.getUint32(32, true) },
    manifestSha256,
    count,
    records: new DataView(bytes.buffer, bytes.byteOffset + HEADER_BYTES, count * RECORD_BYTES)
  }
}

/**
 * Whether the file of the manifest's entry `index` is surely as it was at the scan: same device, inode, size and
 * times, and changed long enough before the scan that a later write must have left another ctime ("racy git").
 * Only ctime decides that: every write sets it, and unlike mtime no image can put it into the future.
 */
export function isUnchanged(prints: Fingerprints, index: number, stat: FileStat): boolean {
  const at = index * RECORD_BYTES
  return (
    isRecord(prints.records, at, stat) &&
    isSameInteger(stat.dev, prints.device) &&
    isSettled(stat.ctime, prints.scannedAt)
  )
}

/** What the scan saw of the manifest's entry `index`; undefined where it has no usable fingerprint. */
export function recordAt(prints: Fingerprints, index: number): FingerprintRecord | undefined {
  const at = index * RECORD_BYTES
  const view = prints.records
  if (view.getUint32(at + 36, true) === NO_NSEC) return undefined
  return {
    inode: view.getBigUint64(at, true),
    size: view.getUint32(at + 12, true) * 2 ** 32 + view.getUint32(at + 8, true),
    mtimeNsec: view.getUint32(at + 32, true)
  }
}

export interface FingerprintRecord {
  inode: bigint
  /** As in `FileStat`. */
  size: number
  mtimeNsec: number
}

function putRecord(
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

function isRecord(view: DataView, at: number, stat: FileStat): boolean {
  return (
    hasInteger(view, at, stat.ino) &&
    hasInteger(view, at + 8, stat.size) &&
    hasInteger(view, at + 16, stat.mtime.sec) &&
    hasInteger(view, at + 24, stat.ctime.sec) &&
    view.getUint32(at + 32, true) === stat.mtime.nsec &&
    view.getUint32(at + 36, true) === stat.ctime.nsec
  )
}

function isSettled(ctime: Timespec, scannedAt: Timespec): boolean {
  const seconds = scannedAt.sec - ctime.sec
  if (ctime.nsec === 0) return seconds > COARSE_SECONDS
  return seconds * 1e9 + (scannedAt.nsec - ctime.nsec) > TICK_NSEC
}

/** Two halves, because a BigInt for each number took most of the time. */
function putInteger(view: DataView, at: number, value: number | bigint): void {
  view.setUint32(at, lowHalf(value), true)
  view.setUint32(at + 4, highHalf(value), true)
}

function hasInteger(view: DataView, at: number, value: number | bigint): boolean {
  return (
    view.getUint32(at, true) === lowHalf(value) && view.getUint32(at + 4, true) === highHalf(value)
  )
}

/** Modulo 2^32, for negative numbers in two's complement. */
function lowHalf(value: number | bigint): number {
  return typeof value === 'bigint' ? Number(BigInt.asUintN(32, value)) : value >>> 0
}

function highHalf(value: number | bigint): number {
  return typeof value === 'bigint'
    ? Number(BigInt.asUintN(32, value >> 32n))
    : Math.floor(value / 2 ** 32) >>> 0
}

function getInteger(view: DataView, at: number): number | bigint {
  const value = view.getBigUint64(at, true)
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

function isSameInteger(a: number | bigint, b: number | bigint): boolean {
  return a === b || (typeof a !== typeof b && BigInt(a) === BigInt(b))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
