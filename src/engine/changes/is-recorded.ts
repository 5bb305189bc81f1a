/** Whether a fingerprint proves that a file or directory is still the one that was unpacked, both compared as bytes. */
import { isSameInteger, RECORD, RECORD_BYTES } from '../../bundle/fingerprint-record.ts'
import type { Fingerprints } from '../../bundle/fingerprints.ts'
import { isSettled } from '../../bundle/unchanged.ts'
import { RECORD_BYTES as STATUS_BYTES } from '../../sys/recorded-status.ts'
import { ctimeAt, deviceAt, NSEC, STATX } from '../../sys/status.ts'

/** As `isUnchanged` decides. @param index of the entry @param statuses records, of which `row` is the object's */
export function isRecorded(
  { records, device, scannedAt }: Fingerprints,
  index: number,
  statuses: Buffer,
  row: number
): boolean {
  const record = index * RECORD_BYTES
  const status = row * STATUS_BYTES
  const isSame = (inRecord: number, inStatus: number): boolean =>
    records.getInt32(record + inRecord, true) === statuses.readInt32LE(status + inStatus)
  const isSameLong = (inRecord: number, inStatus: number): boolean =>
    isSame(inRecord, inStatus) && isSame(inRecord + 4, inStatus + 4)
  return (
    isSameLong(RECORD.ctime, STATX.ctime) &&
    isSame(RECORD.ctimeNsec, STATX.ctime + NSEC) &&
    isSameLong(RECORD.inode, STATX.inode) &&
    isSameLong(RECORD.size, STATX.size) &&
    isSameLong(RECORD.mtime, STATX.mtime) &&
    isSame(RECORD.mtimeNsec, STATX.mtime + NSEC) &&
    isSameInteger(deviceAt(statuses, status), device) &&
    isSettled(ctimeAt(statuses, status), scannedAt)
  )
}
