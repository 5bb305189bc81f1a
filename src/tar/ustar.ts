/** Writes ustar header blocks. */
import type { ByteString } from '../bytes.ts'
import { BLOCK_SIZE, FIELD, sumBytes, type Field } from './header.ts'
import { writeOctal } from './number.ts'

/** The content of one ustar header block. Absent device numbers leave their fields NUL. */
export interface UstarFields {
  name: ByteString
  prefix: ByteString
  type: string
  link: ByteString
  mode: number
  uid: number
  gid: number
  size: number
  mtime: number
  device?: readonly [major: number, minor: number]
}

/**
 * A ustar header block, byte for byte as Go's archive/tar writes it: zero-padded octal numbers, zeros for a number that
 * does not fit, no owner names, `0` types, and strings cut to their fields.
 */
export function ustarBlock(fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE)
  writeString(block, FIELD.name, fields.name)
  writeString(block, FIELD.prefix, fields.prefix)
  writeString(block, FIELD.type, fields.type)
  writeString(block, FIELD.link, fields.link)
  writeString(block, FIELD.magic, 'ustar\x0000')
  writeNumber(block, FIELD.mode, fields.mode)
  writeNumber(block, FIELD.uid, fields.uid)
  writeNumber(block, FIELD.gid, fields.gid)
  writeNumber(block, FIELD.size, fields.size)
  writeNumber(block, FIELD.mtime, fields.mtime)
  if (fields.device !== undefined) {
    writeNumber(block, FIELD.devMajor, fields.device[0])
    writeNumber(block, FIELD.devMinor, fields.device[1])
  }
  writeChecksum(block)
  return block
}

/** Where a name may be divided between the two name fields (only at a slash). */
export function splitName(name: ByteString): { prefix: ByteString; name: ByteString } | undefined {
  const longest = FIELD.prefix.end - FIELD.prefix.start
  const end = Math.min(name.endsWith('/') ? name.length - 1 : name.length, longest + 1)
  const slash = name.lastIndexOf('/', end - 1)
  const rest = name.slice(slash + 1)
  if (slash <= 0 || !isAscii(name) || !fitsString(FIELD.name, rest)) return undefined
  return { prefix: name.slice(0, slash), name: rest }
}

export function fitsString(field: Field, text: ByteString): boolean {
  return text.length <= field.end - field.start
}

export function isAscii(bytes: ByteString): boolean {
  return !/[\x80-\xff]/.test(bytes)
}

export function stripToAscii(bytes: ByteString): ByteString {
  return bytes.replace(/[\x80-\xff]/g, '')
}

/**
 * A cut name must not end in a slash, because some readers would take the file for a directory. Like Go, this also
 * drops all slashes at the end.
 */
function writeString(block: Buffer, field: Field, text: ByteString): void {
  const cut = fitsString(field, text) ? text : text.slice(0, field.end - field.start)
  block.write(cut, field.start, 'latin1')
  if (cut === text || !cut.endsWith('/')) return
  block[field.start + cut.replace(/\/+$/, '').length] = 0
}

function writeNumber(block: Buffer, field: Field, value: number): void {
  writeOctal(block, field.start, field.end, value)
}

function writeChecksum(block: Buffer): void {
  const { start, end } = FIELD.checksum
  block.fill(' ', start, end)
  writeOctal(block, start, end - 1, sumBytes({ bytes: block, at: 0, offset: 0 }))
}
