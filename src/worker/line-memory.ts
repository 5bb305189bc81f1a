/** The memory that the threads share that work on one layer: chunks of its tar, and all that the stages remember. */
import { GUNZIP_BYTES } from '../codec/gunzip-isal.ts'
import { DIGEST_BYTES } from './entry-format.ts'
import { CELLS, CHUNKS } from './line-cells.ts'
import type { Compression } from '../image/media-types.ts'
import { STREAM_BYTES, type StreamPlace } from '../sys/sha256.ts'

/** A chunk stays in a core's own cache from inflating to hashing, while a thread does one after the other. */
export const CHUNK_BYTES: number = 1 << 18

const STREAMS = 3
const streamRoom = roundUp(STREAM_BYTES)

/** Where each part begins. */
const POSITION = roundUp(CELLS * 4)
const HASHES = roundUp(POSITION + 64)
const GUNZIP = roundUp(HASHES + STREAMS * streamRoom)
const PIECES = roundUp(GUNZIP + GUNZIP_BYTES)

/** Pieces of bodies that are hashed, two numbers each. A chunk of files of a few bytes has as many as it has blocks. */
export const PIECES_PER_CHUNK = 1024
export const DIGESTS_PER_CHUNK = 512
const PIECES_BYTES = PIECES_PER_CHUNK * 16
const DIGESTS_BYTES = DIGESTS_PER_CHUNK * DIGEST_BYTES
const PER_CHUNK = PIECES_BYTES + DIGESTS_BYTES + CHUNK_BYTES

/** What a line can have on it, as numbers in shared memory. */
export const FORMATS: readonly (Compression | undefined)[] = [undefined, 'none', 'gzip']

/** What is known about one chunk. */
export interface ChunkMemory {
  bytes: Buffer
  /** See `body-digests.ts`. */
  pieces: Float64Array
  /** Digests of the bodies that end in the chunk. */
  digests: Buffer
}

export interface LineMemory {
  /** For Atomics. */
  readonly cells: Int32Array
  /** How much of the blob was read. */
  readonly position: Float64Array
  /** The descriptor with which the layer's own thread reads it; below 0 if it is not in a file. */
  readonly file: Int32Array
  readonly blobHash: StreamPlace
  readonly tarHash: StreamPlace
  readonly bodyHash: StreamPlace
  readonly gunzip: StreamPlace
  readonly chunks: readonly ChunkMemory[]
}

/** Memory for a new layer. */
export function newLineMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(PIECES + CHUNKS * PER_CHUNK)
}

export function lineMemory(shared: SharedArrayBuffer): LineMemory {
  const place = (offset: number): StreamPlace => ({ memory: shared, offset })
  return {
    cells: new Int32Array(shared, 0, CELLS),
    position: new Float64Array(shared, POSITION, 1),
    file: new Int32Array(shared, POSITION + 8, 1),
    blobHash: place(HASHES),
    tarHash: place(HASHES + streamRoom),
    bodyHash: place(HASHES + 2 * streamRoom),
    gunzip: place(GUNZIP),
    chunks: Array.from({ length: CHUNKS }, (_, at) => chunkMemory(shared, PIECES + at * PER_CHUNK))
  }
}

function chunkMemory(shared: SharedArrayBuffer, at: number): ChunkMemory {
  return {
    pieces: new Float64Array(shared, at, 2 * PIECES_PER_CHUNK),
    digests: Buffer.from(shared, at + PIECES_BYTES, DIGESTS_BYTES),
    bytes: Buffer.from(shared, at + PIECES_BYTES + DIGESTS_BYTES, CHUNK_BYTES)
  }
}

/** A chunk that is not on a line. Its memory is the same for all, one after the other. */
export function chunkAround(bytes: Buffer): ChunkMemory {
  alone ??= {
    pieces: new Float64Array(2 * PIECES_PER_CHUNK),
    digests: Buffer.alloc(DIGESTS_BYTES)
  }
  return { ...alone, bytes }
}

let alone: Omit<ChunkMemory, 'bytes'> | undefined

/** To the size of a cache line. */
function roundUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}
