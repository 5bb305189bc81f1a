/** The PAX records that an entry needs. */
import type { ByteString } from '../bytes.ts'
import { ACL_RECORDS, aclText } from './acl.ts'
import type { TarEntry, Timespec } from './entry.ts'
import { FIELD, type Field } from './header.ts'
import { fitsOctal } from './number.ts'
import { formatTime, XATTR_PREFIX, type PaxRecord } from './pax.ts'
import { fitsString, isAscii, splitName } from './ustar.ts'

/** `seconds` (rounded down) is what umoci writes; `nanoseconds` adds a PAX time if it makes a difference. */
export type TimePrecision = 'seconds' | 'nanoseconds'

/**
 * The PAX records that an entry needs in addition to its ustar header: `others`, then values that are too long, too
 * large, negative or not ASCII, and extended attributes. None if ustar suffices.
 */
export function neededRecords(
  entry: TarEntry,
  precision: TimePrecision,
  others: readonly PaxRecord[]
): PaxRecord[] {
  const records = [
    ...others,
    ...textRecord('linkpath', entry.link, FIELD.link),
    ...numberRecord('uid', entry.uid, FIELD.uid),
    ...numberRecord('gid', entry.gid, FIELD.gid),
    ...numberRecord('size', entry.size, FIELD.size),
    ...timeRecord(entry.mtime, precision),
    ...xattrRecords(entry)
  ]
  const name = textRecord('path', entry.name, FIELD.name)
  const ustar = records.length === 0 && splitName(entry.name) !== undefined
  return ustar ? [] : [...records, ...name]
}

function textRecord(key: string, text: ByteString, field: Field): PaxRecord[] {
  return fitsString(field, text) && isAscii(text) ? [] : [[key, text]]
}

function numberRecord(key: string, value: number, field: Field): PaxRecord[] {
  return fitsOctal(value, field.end - field.start) ? [] : [[key, String(value)]]
}

function timeRecord({ sec, nsec }: Timespec, precision: TimePrecision): PaxRecord[] {
  const time = { sec, nsec: precision === 'seconds' ? 0 : nsec }
  const fits = fitsOctal(sec, FIELD.mtime.end - FIELD.mtime.start)
  return fits && time.nsec === 0 ? [] : [['mtime', formatTime(time)]]
}

/** Leaves out empty values, since an empty value in PAX means that the attribute does not exist. */
function xattrRecords({ xattrs }: TarEntry): PaxRecord[] {
  return xattrs
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [XATTR_PREFIX + name, value])
}

/** The ACLs of an entry as text. */
export function aclRecords({ xattrs }: TarEntry): PaxRecord[] {
  return [...ACL_RECORDS].flatMap(([key, wanted]): PaxRecord[] => {
    const text = aclText(xattrs.find(([name]) => name === wanted)?.[1] ?? '')
    return text === undefined ? [] : [[key, text]]
  })
}
