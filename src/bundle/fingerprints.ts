/**
 * The file of fingerprints beside a tree manifest: the status of each object in the tree, in the order of its lines.
 */
import type { OwnedBytes } from '../bytes.ts'
import type { FingerprintRecord } from '../plan/seen-tree.ts'
import type { Timespec } from '../tar/entry.ts'
import {
  getInteger,
  getRecord,
  putInteger,
  putRecord,
  RECORD_BYTES,
  type FileStat
} from './fingerprint-record.ts'

export interface FingerprintsHeader {
  /** The device of the root of the tree. Files on other devices have no usable fingerprint. */
  device: number | bigint
  /** CLOCK_REALTIME before the first file was examined. */
  scannedAt: Timespec
  /** SHA-256 (64 hex digits) of the tree manifest whose entries the records follow. */
  manifestSha256: string
}

/** A decoded file. Records are read in place, so decoding takes the same time for any number of them. */
export interface Fingerprints extends FingerprintsHeader {
  count: number
  records: DataView
}

/** Why a file of fingerprints cannot be used. Then everything has to be hashed, which costs only time. */
export type Unusable = 'no-fingerprints' | 'unknown-version' | 'wrong-length' | 'other-manifest'

/*
 * The file, all numbers little-endian:
 *   0 magic, 8 bytes | 8 version u32 | 12 count u32 | 16 device u64 | 24 scan seconds i64 | 32 scan ns u32
 *   | 36 zero u32 | 40 SHA-256 of the manifest, 32 bytes | 72 records of 40 bytes, in the manifest's order (fingerprint-record.ts)
 */
const MAGIC = 'oci-prnt'
const VERSION = 1
export const HEADER_BYTES = 72

/** The file for a tree whose tree manifest lists entries with these stats, in this order (undefined: unknown). */
export function encodeFingerprints(
  header: FingerprintsHeader,
  stats: readonly (FileStat | undefined)[]
): Buffer {
  const records = new FingerprintRecords(header.device)
  for (const stat of stats) records.add(stat)
  return Buffer.concat([encodeHeader(header, stats.length), records.take()])
}

/** The start of the file, of HEADER_BYTES; as many records follow. */
export function encodeHeader(
  { device, scannedAt, manifestSha256 }: FingerprintsHeader,
  count: number
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  const view = viewOf(bytes)
  bytes.write(MAGIC, 0, 'latin1')
  view.setUint32(8, VERSION, true)
  view.setUint32(12, count, true)
  putInteger(view, 16, device)
  putInteger(view, 24, scannedAt.sec)
  view.setUint32(32, scannedAt.nsec, true)
  bytes.write(manifestSha256, 40, 'hex')
  return bytes
}

/** Collects records in the order of the tree manifest's lines, 40 bytes each, while it is being written. */
export class FingerprintRecords {
  private readonly device: number | bigint
  private bytes = Buffer.alloc(1024 * RECORD_BYTES)
  private view = viewOf(this.bytes)
  private used = 0

  constructor(device: number | bigint) {
    this.device = device
  }

  /** 100,000 of them take about 5 ms. */
  add(stat: FileStat | undefined): void {
    if (this.used + RECORD_BYTES > this.bytes.length) this.grow()
    putRecord(this.view, this.used, this.device, stat)
    this.used += RECORD_BYTES
  }

  /** Those since the last call; the memory belongs to the caller. */
  take(): OwnedBytes {
    const taken = new Uint8Array(this.bytes.subarray(0, this.used))
    this.bytes.fill(0, 0, this.used)
    this.used = 0
    return taken
  }

  private grow(): void {
    const larger = Buffer.alloc(this.bytes.length * 2)
    larger.set(this.bytes)
    this.bytes = larger
    this.view = viewOf(larger)
  }
}

/** How many records a file of this size has, if it is one. */
export function recordsIn(bytes: number): number {
  return Math.max(0, Math.floor((bytes - HEADER_BYTES) / RECORD_BYTES))
}

/** Reads a file of fingerprints, which must belong to the tree manifest with this SHA-256. */
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

/** What the scan saw of entry `index` of the tree manifest; undefined if it has no usable fingerprint. */
export function recordAt(prints: Fingerprints, index: number): FingerprintRecord | undefined {
  return getRecord(prints.records, index * RECORD_BYTES)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
