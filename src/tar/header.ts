/** The layout of a header block, and its checksum. */
import type { ByteString } from '../bytes.ts'
import { readNumber } from './number.ts'

/** The size of everything in an archive is a multiple of this, in bytes. */
export const BLOCK_SIZE = 512

/** Bytes from the end of a body of `size` bytes to the next block. */
export function padding(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE
}

export interface Field {
  readonly start: number
  readonly end: number
}

export type FieldName =
  | 'name'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'size'
  | 'mtime'
  | 'checksum'
  | 'type'
  | 'link'
  | 'magic'
  | 'devMajor'
  | 'devMinor'
  | 'prefix'
  | 'starPrefix'
  | 'starTrailer'

/** Fields of the ustar header (POSIX.1-2024, pax, "ustar Interchange Format"), as byte ranges. */
export const FIELD: Readonly<Record<FieldName, Field>> = {
  name: { start: 0, end: 100 },
  mode: { start: 100, end: 108 },
  uid: { start: 108, end: 116 },
  gid: { start: 116, end: 124 },
  size: { start: 124, end: 136 },
  mtime: { start: 136, end: 148 },
  checksum: { start: 148, end: 156 },
  type: { start: 156, end: 157 },
  link: { start: 157, end: 257 },
  magic: { start: 257, end: 265 },
  devMajor: { start: 329, end: 337 },
  devMinor: { start: 337, end: 345 },
  prefix: { start: 345, end: 500 },
  /** In star's archives the prefix is shorter, because times follow it. */
  starPrefix: { start: 345, end: 476 },
  starTrailer: { start: 508, end: 512 }
}

/** A header block in place: `at` is its start in `bytes`, `offset` its start in the archive. */
export interface Block {
  bytes: Buffer
  at: number
  offset: number
}

export function numberField(block: Block, field: Field): number {
  return readNumber(block.bytes, block.at + field.start, block.at + field.end)
}

/** The field's bytes up to the first NUL. */
export function stringField(block: Block, field: Field): ByteString {
  return readString(block.bytes, block.at + field.start, block.at + field.end)
}

export function readString(bytes: Buffer, start: number, end: number): ByteString {
  let stop = start
  while (stop < end && bytes[stop] !== 0) stop++
  return stop === start ? '' : bytes.toString('latin1', start, stop)
}

export function typeFlag(block: Block): number {
  return block.bytes[block.at + FIELD.type.start]!
}

/** The sum of all bytes of the block: 0 only for a block of zeros. */
export function sumBytes(block: Block): number {
  const { bytes, at } = block
  let sum = 0
  for (let i = at; i < at + BLOCK_SIZE; i++) sum += bytes[i]!
  return sum
}

/** POSIX adds unsigned bytes. Some old writers added signed ones, and every reader accepts both. */
export function checksumMatches(block: Block, sum: number): boolean {
  const unsigned = sum - sumChecksumField(block) + 8 * 0x20
  const stored = numberField(block, FIELD.checksum)
  return stored === unsigned || stored === unsigned - 256 * countHighBytes(block)
}

function sumChecksumField({ bytes, at }: Block): number {
  let sum = 0
  for (let i = at + FIELD.checksum.start; i < at + FIELD.checksum.end; i++) sum += bytes[i]!
  return sum
}

function countHighBytes({ bytes, at }: Block): number {
  let count = 0
  for (let i = at; i < at + BLOCK_SIZE; i++) {
    const counted = i < at + FIELD.checksum.start || i >= at + FIELD.checksum.end
    if (counted && bytes[i]! >= 0x80) count++
  }
  return count
}

export type Format = 'v7' | 'ustar' | 'star' | 'gnu'

export function formatOf(block: Block): Format {
  const { bytes, at } = block
  const magic = at + FIELD.magic.start
  if (bytes.readUInt32BE(magic) !== 0x75737461 || bytes[magic + 4] !== 0x72) return 'v7'
  if (bytes[magic + 5] === 0x20) return bytes[magic + 6] === 0x20 ? 'gnu' : 'v7'
  if (bytes[magic + 5] !== 0) return 'v7'
  return stringField(block, FIELD.starTrailer) === 'tar' ? 'star' : 'ustar'
}
