/** Where a file has data: what is between is holes. */
import { seekData, seekHole } from '../sys/copy.ts'
import type { Extents } from '../tar/sparse.ts'
import { HOLE_BYTES } from './body-writer.ts'

/**
 * The extents of an open file; undefined if it is stored whole. Only holes that an unpack would make again count: whole
 * blocks of `HOLE_BYTES`, and a shorter one at the end. So the map of a file is never long. A hole at the end is followed
 * by an extent of no bytes, without which GNU tar loses it.
 * @param size of the file, in bytes
 */
export function dataExtents(fd: number, size: number): Extents | undefined {
  const extents: number[] = []
  for (let start = seekData(fd, 0); start !== undefined && start < size;) {
    const found = Math.min(size, seekHole(fd, start))
    const end = Math.min(size, blockEnd(found))
    append(extents, start - (start % HOLE_BYTES), end)
    start = end < size ? seekData(fd, end) : undefined
  }
  if (extents[0] === 0 && extents[1] === size) return undefined
  return endOf(extents) === size ? extents : [...extents, size, 0]
}

function blockEnd(position: number): number {
  return Math.ceil(position / HOLE_BYTES) * HOLE_BYTES
}

/** Extents that touch are one. */
function append(extents: number[], start: number, end: number): void {
  if (endOf(extents) === start && start > 0) extents[extents.length - 1]! += end - start
  else extents.push(start, end - start)
}

function endOf(extents: Extents): number {
  return extents.length === 0 ? 0 : extents.at(-2)! + extents.at(-1)!
}
