/** The values of a member, from its records and its header. */
import { display, type ByteString } from '../bytes.ts'
import type { OciUnpackError } from '../errors.ts'
import type { Timespec, Xattr } from './entry.ts'
import { entryInvalid, tarInvalid } from './faults.ts'
import { FIELD, numberField, type Block, type FieldName } from './header.ts'
import { parseDecimal } from './number.ts'
import { parseTime, XATTR_PREFIX, type PaxRecords } from './pax.ts'

/** The sources of a member's values. The current records take precedence over the header block. */
export interface Source {
  block: Block
  records: PaxRecords | undefined
  name: ByteString
}

/** 2^32-1 is not an id: it tells chown(2) to leave the id as it is. */
const MAX_ID = 0xffff_fffe
/** The largest numbers that the kernel can store. It would silently cut off higher bits. */
const MAX_DEVICE = { devMajor: 0xfff, devMinor: 0xf_ffff } as const

export function memberMode(source: Source): number {
  return headerNumber(source, 'mode') & 0o7777
}

/** Bytes, from 0 to 2^53-1. */
export function memberSize(source: Source): number {
  const size = memberNumber(source, 'size')
  if (size < 0) throw invalidValue(source, 'size', String(size))
  return size
}

export function memberId(source: Source, key: 'uid' | 'gid'): number {
  return withinRange(source, key, memberNumber(source, key), MAX_ID)
}

export function memberDevice(source: Source, key: 'devMajor' | 'devMinor'): number {
  return withinRange(source, key, headerNumber(source, key), MAX_DEVICE[key])
}

export function memberMtime(source: Source): Timespec {
  return recordTime(source, 'mtime') ?? { sec: headerNumber(source, 'mtime'), nsec: 0 }
}

export function memberAtime(source: Source): Timespec | undefined {
  return recordTime(source, 'atime')
}

const NO_XATTRS: readonly Xattr[] = []

/** A record with an empty value says that the attribute does not exist (as in PAX, and as umoci reads it). */
export function memberXattrs(source: Source): readonly Xattr[] {
  if (source.records === undefined) return NO_XATTRS
  const xattrs: Xattr[] = []
  for (const [key, value] of source.records) {
    if (value === '' || !key.startsWith(XATTR_PREFIX)) continue
    const name = key.slice(XATTR_PREFIX.length)
    if (name === '' || name.includes('\0')) throw badXattrName(source, name)
    xattrs.push([name, value])
  }
  return xattrs
}

export function invalidValue(source: Source, what: string, found: ByteString): OciUnpackError {
  return tarInvalid(source.block.offset, `A tar header has a malformed ${what}.`, {
    entry: display(source.name),
    found: display(found)
  })
}

function memberNumber(source: Source, key: 'size' | 'uid' | 'gid'): number {
  const record = source.records?.get(key)
  if (record === undefined || record === '') return headerNumber(source, key)
  const value = parseDecimal(record)
  if (!Number.isSafeInteger(value)) throw invalidValue(source, key, record)
  return value
}

function headerNumber(source: Source, key: FieldName): number {
  const value = numberField(source.block, FIELD[key])
  if (Number.isSafeInteger(value)) return value
  const start = source.block.at + FIELD[key].start
  const end = source.block.at + FIELD[key].end
  throw invalidValue(source, key, source.block.bytes.toString('latin1', start, end))
}

function recordTime(source: Source, key: 'mtime' | 'atime'): Timespec | undefined {
  const record = source.records?.get(key)
  if (record === undefined || record === '') return undefined
  const time = parseTime(record)
  if (time === undefined) throw invalidValue(source, key, record)
  return time
}

function withinRange(source: Source, key: string, value: number, max: number): number {
  if (value >= 0 && value <= max) return value
  throw entryInvalid(source.block.offset, source.name, `The entry's ${key} is out of range.`, {
    expected: `0 to ${max}`,
    found: value
  })
}

function badXattrName(source: Source, name: ByteString): OciUnpackError {
  return entryInvalid(source.block.offset, source.name, 'An xattr has an invalid name.', {
    found: display(name)
  })
}
