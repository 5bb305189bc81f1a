/** Decompression of gzip by Node's zlib. */
import { createGunzip } from 'node:zlib'
import { assertPadding } from './gzip-header.ts'
import type { Source } from './source.ts'
import { CHUNK_BYTES, invalidData, through } from './zlib-stream.ts'

/**
 * Inflates gzip members to the end of the source (RFC 1952, 2.2), in this process. Zeros after the last member are
 * padding.
 * @throws COMPRESSION_INVALID for other data after a member, damage and truncation
 */
export async function* gunzip(source: Source): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize: CHUNK_BYTES })
  let rest: Buffer | undefined
  try {
    rest = yield* through(stream, source)
  } catch (error) {
    throw invalidData(error, 'gzip', stream.bytesWritten)
  }
  // node:zlib stops at the first zero between members and ignores whatever comes after it.
  assertPadding(rest, source, stream.bytesWritten)
}
