/** Guesses how large a layer is before it is read. */
import { closeSync } from 'node:fs'
import type { Compression } from '../image/media-types.ts'
import { openWithoutBlocking } from '../sys/open-regular.ts'
import { readFully } from '../sys/read.ts'

/** A tar of programs and documents usually shrinks by about this factor. */
const USUAL_RATIO = 2.5
const TRAILER_BYTES = 4

/**
 * How many bytes a blob may inflate to. Only used to decide which layer to start with, and never trusted. The end of a
 * gzip file contains its size modulo 2^32 (RFC 1952, ISIZE), which reveals small blobs that become large.
 */
export function uncompressedSizeHint(
  source: { path?: string; fd?: number; size: number; section?: { offset: number } },
  compression: Compression
): number {
  if (compression === 'none') return source.size
  const usual = source.size * USUAL_RATIO
  if (compression !== 'gzip' || source.path === undefined || source.fd !== undefined) return usual
  return Math.max(usual, readTrailer(source.path, (source.section?.offset ?? 0) + source.size))
}

/** 0 if there is none. Faults of the blob are left to its reader to report. */
function readTrailer(path: string, end: number): number {
  let fd: number
  try {
    fd = openWithoutBlocking(path, 'refused')
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

/** How many bytes a layer inflates to, according to what says so. */
export interface UnpackedSize {
  readonly bytes: number
  readonly is: 'exactly' | 'at least'
}

/**
 * What the blob itself says of its size: exact if it is not compressed. The end of a gzip file gives the size of its last
 * member modulo 2^32, so there is at least as much. Undefined if nothing is known without reading it all.
 */
export function unpackedSizeOf(
  source: { path?: string; size: number; section?: { offset: number } },
  compression: Compression
): UnpackedSize | undefined {
  if (compression === 'none') return { bytes: source.size, is: 'exactly' }
  if (compression !== 'gzip' || source.path === undefined) return undefined
  const bytes = readTrailer(source.path, (source.section?.offset ?? 0) + source.size)
  return bytes === 0 ? undefined : { bytes, is: 'at least' }
}
