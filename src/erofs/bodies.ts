/**
 * Where the content of files lies. In the image of a layer, bodies follow block 0 in the order of the entries, each on
 * a block of its own. Their places depend on nothing else, so whoever has the sizes of a layer's entries can work out
 * where its image has their bodies, without reading it.
 */
import { storedBytes, type Extents } from '../tar/sparse.ts'
import { tooMany } from './faults.ts'
import { aligned, BLOCK, blocksOf, MAX_BLOCKS, MAX_CHUNK_BITS, NO_BLOCK } from './format.ts'

/** A file in chunks of 2^bits blocks: the first block of each, or `NO_BLOCK` for a hole. The last may be shorter. */
export interface Chunks {
  bits: number
  blocks: readonly number[]
}

/** The first block of a body in one piece, or its chunks; `NO_BLOCK` if it is empty. */
export type Body = number | Chunks

/** A sparse file gets chunks if these save that many bytes in the image; smaller holes are stored as zeros. */
const WORTHWHILE_HOLES = 1 << 20
/** A sparse file has at most that many chunks, so that the smallest file cannot claim a gigabyte of indexes. */
const MAX_SPARSE_CHUNKS = 1024

/** Gives each body of a layer its place in the layer's image. */
export class BodyPlaces {
  /** The first block behind all bodies. */
  end = 1

  /**
   * Room for the body of the next file.
   * @param extents for a sparse file: the parts of it that are not holes
   * @throws LIMIT_EXCEEDED
   */
  place(size: number, extents?: Extents): Body {
    const sparse = extents && this.chunks(size, extents)
    if (sparse !== undefined) return sparse
    return size === 0 ? NO_BLOCK : this.take(blocksOf(size))
  }

  private chunks(size: number, extents: Extents): Chunks | undefined {
    if (size - storedBytes(extents) < WORTHWHILE_HOLES) return undefined
    const bits = sparseBits(size)
    const bytes = BLOCK * 2 ** bits
    const used = usedChunks(extents, bytes)
    const chunks = Math.ceil(size / bytes)
    const lengths = Array.from({ length: chunks }, (_, i) => Math.min(bytes, size - i * bytes))
    const saved = lengths.reduce((sum, length, i) => (used.has(i) ? sum : sum + length), 0)
    if (saved < WORTHWHILE_HOLES) return undefined
    return {
      bits,
      blocks: lengths.map((length, i) => (used.has(i) ? this.take(blocksOf(length)) : NO_BLOCK))
    }
  }

  private take(blocks: number): number {
    const first = this.end
    if (first + blocks > MAX_BLOCKS)
      throw tooMany('so much data', `at most ${MAX_BLOCKS} blocks`, first + blocks)
    this.end += blocks
    return first
  }
}

/**
 * Where a byte of a file belongs in the image that its body is in. All bytes of an extent follow each other there, too.
 */
export function byteOffset(body: Body, position: number): number {
  if (typeof body === 'number') return body * BLOCK + position
  const bytes = BLOCK * 2 ** body.bits
  return body.blocks[Math.floor(position / bytes)]! * BLOCK + (position % bytes)
}

/** A body in one piece as chunks: one, unless the file is larger than the largest chunk. */
export function inChunks(block: number, size: number): Chunks {
  const bits = wholeChunkBits(size)
  const blocks = [block]
  for (let i = 1; i < wholeChunks(size); i++) blocks.push(block + i * 2 ** bits)
  return { bits, blocks }
}

/** How many chunks that are. */
export function wholeChunks(size: number): number {
  return Math.ceil(blocksOf(size) / 2 ** wholeChunkBits(size))
}

function wholeChunkBits(size: number): number {
  return leastBits(blocksOf(size), 1)
}

function sparseBits(size: number): number {
  return leastBits(blocksOf(size), MAX_SPARSE_CHUNKS)
}

/** The smallest chunk of which at most `count` hold so many blocks. */
function leastBits(blocks: number, count: number): number {
  const largest = Math.ceil(blocks / count)
  if (largest <= 1) return 0
  return largest > 2 ** MAX_CHUNK_BITS ? MAX_CHUNK_BITS : 32 - Math.clz32(largest - 1)
}

function usedChunks(extents: Extents, bytes: number): Set<number> {
  const used = new Set<number>()
  for (let i = 0; i < extents.length; i += 2) {
    const start = extents[i]!
    const end = aligned(start + extents[i + 1]!, bytes) / bytes
    if (extents[i + 1] === 0) continue
    for (let chunk = Math.floor(start / bytes); chunk < end; chunk++) used.add(chunk)
  }
  return used
}
