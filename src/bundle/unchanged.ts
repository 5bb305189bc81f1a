/** Whether a fingerprint proves that a file is as it was. */
import type { Timespec } from '../tar/entry.ts'
import { hasRecord, isSameInteger, RECORD_BYTES, type FileStat } from './fingerprint-record.ts'
import type { Fingerprints } from './fingerprints.ts'

/** Kernels stamp files with the time of the last tick: 10 ms at CONFIG_HZ=100. */
const TICK_NSEC = 10_000_000

/** File systems that keep whole seconds only (FAT: two of them). */
const COARSE_SECONDS = 2

/**
 * Whether the file of the manifest's entry `index` is surely as it was at the scan: same device, inode, size and
 * times, and changed long enough before the scan that a later write must have left another ctime ("racy git").
 * Only ctime decides that: every write sets it, and unlike mtime no image can put it into the future.
 */
export function isUnchanged(prints: Fingerprints, index: number, stat: FileStat): boolean {
  const at = index * RECORD_BYTES
  return (
    hasRecord(prints.records, at, stat) &&
    isSameInteger(stat.dev, prints.device) &&
    isSettled(stat.ctime, prints.scannedAt)
  )
}

function isSettled(ctime: Timespec, scannedAt: Timespec): boolean {
  const seconds = scannedAt.sec - ctime.sec
  if (ctime.nsec === 0) return seconds > COARSE_SECONDS
  return seconds * 1e9 + (scannedAt.nsec - ctime.nsec) > TICK_NSEC
}
