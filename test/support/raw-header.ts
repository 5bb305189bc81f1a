import { toBuffer, type ByteString } from '../../src/bytes.ts'

/** Header fields as raw bytes, so that a test can write what no sane writer would. */
export interface RawHeader {
  name?: ByteString
  mode?: ByteString
  uid?: ByteString
  gid?: ByteString
  size?: ByteString
  mtime?: ByteString
  type?: ByteString
  link?: ByteString
  magic?: ByteString
  devMajor?: ByteString
  devMinor?: ByteString
  prefix?: ByteString
  /** Any other place, by offset in the block. */
  at?: Readonly<Record<number, ByteString>>
  /** Instead of the right one. */
  checksum?: ByteString
}

export const USTAR = 'ustar\x0000'
export const GNU = 'ustar  \0'
export const V7 = ''

const PLACE = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  type: 156,
  link: 157,
  magic: 257,
  devMajor: 329,
  devMinor: 337,
  prefix: 345
} as const

/** One header block. Numbers default to zero, the type to a file, the magic to ustar. */
export function rawHeader(fields: RawHeader = {}): Buffer {
  const block = Buffer.alloc(512)
  const filled = { name: 'file', type: '0', magic: USTAR, ...fields }
  for (const [key, place] of Object.entries(PLACE)) {
    block.write(filled[key as keyof typeof PLACE] ?? '', place, 'latin1')
  }
  for (const [place, bytes] of Object.entries(fields.at ?? {})) {
    block.write(bytes, Number(place), 'latin1')
  }
  block.write(fields.checksum ?? checksum(block), 148, 'latin1')
  return block
}

export function octal(value: number, digits = 11): ByteString {
  return `${value.toString(8).padStart(digits, '0')}\0`
}

/** Content filled up to whole blocks. */
export function padded(content: ByteString): Buffer {
  return Buffer.concat([toBuffer(content), Buffer.alloc((512 - (content.length % 512)) % 512)])
}

/** A header of the given type with its content: an extended header, or a file. */
export function rawMember(fields: RawHeader, content: ByteString): Buffer {
  return Buffer.concat([rawHeader({ size: octal(content.length), ...fields }), padded(content)])
}

/** A PAX header from `key=value` texts; lengths are right. */
export function paxHeader(texts: readonly ByteString[], type: 'x' | 'g' = 'x'): Buffer {
  return rawMember({ name: 'pax', type }, texts.map(paxRecord).join(''))
}

function paxRecord(text: ByteString): ByteString {
  for (let length = text.length + 3; ; length++) {
    const record = `${length} ${text}\n`
    if (record.length === length) return record
  }
}

function checksum(block: Buffer): ByteString {
  const sum = block.reduce((total, byte) => total + byte, 8 * 0x20)
  return `${sum.toString(8).padStart(6, '0')}\0 `
}
