/** What of a file is data and what reads as zeros, as clients are told. */
import { BLOCK_SIZE } from './wire.ts'

/** Data or a hole; `length` in bytes. */
export interface Extent {
  readonly length: number
  readonly hole: boolean
}

/** A piece of a file that is sent at once. */
export interface Piece {
  readonly offset: number
  readonly length: number
  readonly hole: boolean
}

/**
 * The same extents with holes cut to whole blocks, and no two neighbours of one kind. Clients are to get pieces of whole blocks
 * "where possible", and a hole that is shorter is not worth its own.
 * @param offset of the first extent. Neither it nor the end of the last has to be the border of a block.
 */
export function wholeBlocks(extents: readonly Extent[], offset: number): Extent[] {
  const end = offset + extents.reduce((sum, { length }) => sum + length, 0)
  const found: Extent[] = []
  let at = offset
  for (const { length, hole } of extents) {
    const next = at + length
    const first = !hole ? next : at === offset ? at : Math.min(next, blockAfter(at))
    const last = next === end ? next : Math.max(first, blockBefore(next))
    add(found, first - at, false)
    add(found, last - first, true)
    add(found, next - last, false)
    at = next
  }
  return found
}

/**
 * Holes as they are, and data cut at multiples of `size`.
 * @param offset of the first extent
 */
export function cutData(extents: readonly Extent[], offset: number, size: number): Piece[] {
  const pieces: Piece[] = []
  let at = offset
  for (const { length, hole } of extents) {
    const end = at + length
    while (at < end) {
      const next = hole ? end : Math.min(end, at - (at % size) + size)
      pieces.push({ offset: at, length: next - at, hole })
      at = next
    }
  }
  return pieces
}

function add(extents: Extent[], length: number, hole: boolean): void {
  if (length === 0) return
  const before = extents.at(-1)
  if (before?.hole !== hole) extents.push({ length, hole })
  else extents[extents.length - 1] = { length: before.length + length, hole }
}

const BLOCK = BLOCK_SIZE.preferred

function blockAfter(offset: number): number {
  return Math.ceil(offset / BLOCK) * BLOCK
}

function blockBefore(offset: number): number {
  return Math.floor(offset / BLOCK) * BLOCK
}
