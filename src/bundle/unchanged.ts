/** Whether a status proves that a file is still the one that was unpacked. */
import type { Timespec } from '../tar/entry.ts'
import { hasRecord, isSameInteger, RECORD_BYTES, type FileStat } from './fingerprint-record.ts'
import type { Fingerprints } from './fingerprints.ts'

/** Kernels stamp files with the time of the last tick: 10 ms at CONFIG_HZ=100. */
const TICK_NSEC = 10_000_000

/** The precision of file systems that keep only whole seconds (FAT: every second one). */
const COARSE_SECONDS = 2

/**
 * Whether the file of the tree manifest's entry `index` is certainly as it was at the scan: it has the same device,
 * inode, size and times, and changed long enough before the scan that a later write must have left another ctime ("racy
 * git"). Only ctime decides this: every write sets it and, unlike mtime, no image can put it into the future.
 */
export function isUnchanged(prints: Fingerprints, index: number, stat: FileStat): boolean {
  const at = index * RECORD_BYTES
  return (
    hasRecord(prints.records, at, stat) &&
    isSameInteger(stat.dev, prints.device) &&
    isSettled(stat.ctime, prints.scannedAt)
  )
}

/** Whether a change after the scan began must have left another ctime. */
export function isSettled(ctime: Timespec, scannedAt: Timespec): boolean {
  const seconds = scannedAt.sec - ctime.sec
  if (ctime.nsec === 0) return seconds > COARSE_SECONDS
  return seconds * 1e9 + (scannedAt.nsec - ctime.nsec) > TICK_NSEC
}
