/** An estimate of how large a layer is when decompressed. */
import { closeSync, constants, openSync } from 'node:fs'
import { readFully } from '../sys/read.ts'
import type { Compression } from './content.ts'

/** Tar of programs and documents shrinks to about this part. */
const USUAL_RATIO = 2.5
const TRAILER_BYTES = 4

/**
 * How many bytes a blob may inflate to, for nothing but deciding what to start with: never trusted. The end of a gzip
 * file holds its size modulo 2^32 (RFC 1952, ISIZE), which finds small blobs that are large.
 */
export function uncompressedSizeHint(
  source: { path?: string; size: number; section?: { offset: number } },
  compression: Compression
): number {
  if (compression === 'none') return source.size
  const usual = source.size * USUAL_RATIO
  if (compression !== 'gzip' || source.path === undefined) return usual
  return Math.max(usual, readTrailer(source.path, (source.section?.offset ?? 0) + source.size))
}

/** 0 where there is none; what is wrong with the blob is for those to say who read it. */
function readTrailer(path: string, end: number): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return 0
  }
  try {
    const trailer = Buffer.alloc(TRAILER_BYTES)
    const read = readFully(fd, trailer, TRAILER_BYTES, Math.max(0, end - TRAILER_BYTES))
    return read === TRAILER_BYTES ? trailer.readUInt32LE(0) : 0
  } catch {
    return 0
  } finally {
    closeSync(fd)
  }
}
