/** PAX records. */
import type { ByteString } from '../bytes.ts'
import type { Timespec } from './entry.ts'

/** One `length key=value\n` record (POSIX.1-2024, pax, "pax Extended Header"). Values are bytes. */
export type PaxRecord = readonly [key: ByteString, value: ByteString]

/** The records that apply to one member. An empty value means "as if there were no such record". */
export type PaxRecords = ReadonlyMap<ByteString, ByteString>

export const XATTR_PREFIX = 'SCHILY.xattr.'

const LINE_FEED = 0x0a
const SPACE = 0x20
const EQUALS = 0x3d
const ZERO = 0x30

/** The records in bytes `start` to `end`, in order and with repetitions; undefined if malformed. */
export function decodeRecords(bytes: Buffer, start: number, end: number): PaxRecord[] | undefined {
  const records: PaxRecord[] = []
  let at = start
  while (at < end) {
    const stop = recordEnd(bytes, at, end)
    const record = stop === undefined ? undefined : decodeRecord(bytes, at, stop)
    if (stop === undefined || record === undefined) return undefined
    records.push(record)
    at = stop
  }
  return records
}

/** The length of a record counts everything, from its own first digit to the line feed. */
function recordEnd(bytes: Buffer, start: number, end: number): number | undefined {
  let length = 0
  let at = start
  for (; at < end && bytes[at] !== SPACE; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) return undefined
    length = length * 10 + digit
  }
  const stop = start + length
  return at > start && stop <= end && bytes[stop - 1] === LINE_FEED ? stop : undefined
}

function decodeRecord(bytes: Buffer, start: number, stop: number): PaxRecord | undefined {
  const key = bytes.indexOf(SPACE, start) + 1
  const equals = bytes.indexOf(EQUALS, key)
  if (equals <= key || equals >= stop) return undefined
  return [bytes.toString('latin1', key, equals), bytes.toString('latin1', equals + 1, stop - 1)]
}

export function encodeRecord([key, value]: PaxRecord): ByteString {
  const rest = ` ${key}=${value}\n`
  const guess = rest.length + String(rest.length).length
  const length = rest.length + String(guess).length
  return `${length}${rest}`
}

/**
 * A PAX time: decimal seconds with any number of fraction digits, rounded down to nanoseconds as POSIX demands.
 * Undefined if it is malformed or beyond ±2^53 seconds.
 */
export function parseTime(text: ByteString): Timespec | undefined {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (match === null || !Number.isSafeInteger(Number(match[2]))) return undefined
  const sec = Number(match[2])
  const fraction = match[3] ?? ''
  const nsec = Number(fraction.slice(0, 9).padEnd(9, '0'))
  return match[1] === '' ? { sec, nsec } : negate(sec, nsec, /[1-9]/.test(fraction.slice(9)))
}

function negate(sec: number, nsec: number, inexact: boolean): Timespec {
  const below = inexact ? nsec + 1 : nsec
  return below === 0 ? { sec: 0 - sec, nsec: 0 } : { sec: -sec - 1, nsec: 1_000_000_000 - below }
}

/** The shortest decimal text of a time, e.g. `-1.5` for second -2 and 500,000,000 ns. */
export function formatTime({ sec, nsec }: Timespec): ByteString {
  if (nsec === 0) return String(sec)
  const [sign, whole, part] = sec < 0 ? ['-', -(sec + 1), 1_000_000_000 - nsec] : ['', sec, nsec]
  return `${sign}${Math.abs(whole)}.${String(part).padStart(9, '0').replace(/0+$/, '')}`
}
