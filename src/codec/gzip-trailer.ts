/** The end of a gzip blob, as evidence that all of it was read. */
import { readFully } from '../sys/read.ts'
import { hasReservedFlags } from './gzip-header.ts'
import type { BlobFile } from './source.ts'

const TAIL_BYTES = 1 << 16
const TRAILER_BYTES = 8

/**
 * Whether the end of a blob that inflated to `total` bytes shows one gzip member with zero padding: then its last bytes
 * are that member's ISIZE (RFC 1952, 2.3.1). False means "not shown": there may be several members, much padding, an
 * empty member, flags that some programs ignore, or data after the member. This costs one read, while inflating again
 * would double the work. Data after the member that is made to end like its trailer goes unnoticed, but the digest and
 * the diff ID still hold for such a blob.
 */
export function isWholeMember(file: BlobFile, total: number): boolean {
  if (total === 0 || hasReservedFlags(readHead(file))) return false
  const tail = readTail(file)
  const end = lastNonZero(tail) + 1
  // The upper bytes of a small ISIZE are zeros too, so padding may begin up to three bytes later.
  return [0, 1, 2, 3].some((zeros) => isTrailer(tail, end + zeros, total))
}

function readHead(file: BlobFile): Buffer {
  const head = Buffer.alloc(4)
  readFully(file.fd, head, head.length, 0)
  return head
}

function isTrailer(tail: Buffer, end: number, total: number): boolean {
  if (end < TRAILER_BYTES || end > tail.length) return false
  return tail.readUInt32LE(end - 4) === total % 2 ** 32
}

function readTail(file: BlobFile): Buffer {
  const tail = Buffer.alloc(Math.min(TAIL_BYTES, file.size))
  const length = readFully(file.fd, tail, tail.length, file.size - tail.length)
  return tail.subarray(0, length)
}

function lastNonZero(tail: Buffer): number {
  return tail.findLastIndex((byte) => byte !== 0)
}
