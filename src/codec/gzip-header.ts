/** Headers of gzip members, and the padding after the last one. */
import type { Source } from './source.ts'
import { compressionInvalid } from './zlib-stream.ts'

/** Whether a gzip member may begin like this (RFC 1952, 2.3.1). */
export function isMagic(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

/** Whether flags are set that RFC 1952 reserves (2.3.1.2). @param head the first four bytes, or fewer */
export function hasReservedFlags(head: Buffer): boolean {
  return head.length > 3 && (head.readUInt8(3) & 0xe0) !== 0
}

/** Whether the header ends in a checksum of its own (FHCRC). */
export function hasHeaderChecksum(head: Buffer): boolean {
  return head.length > 3 && (head.readUInt8(3) & 0x02) !== 0
}

/**
 * Reads to the end: only zeros may follow the last member.
 * @param rest bytes that were already read; `offset` is their position
 */
export function assertPadding(rest: Buffer, source: Source, offset: number): void {
  for (let chunk: Buffer | undefined = rest; chunk !== undefined; chunk = source()) {
    const foreign = chunk.findIndex((byte) => byte !== 0)
    if (foreign >= 0) {
      throw compressionInvalid(
        'Data follows the last gzip member.',
        offset + foreign,
        'only zeros may follow'
      )
    }
    offset += chunk.length
  }
}
