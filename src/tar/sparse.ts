/**
 * The places of a sparse file's stored bytes: offset, length, offset, length … in file order. Flat, because a map may
 * have a million extents.
 */
export type Extents = readonly number[]

/**
 * The map of a sparse file, which may continue in further blocks. Malformed numbers become NaN in `extents`, which
 * `extentsFault` reports.
 */
export interface SparseMap {
  readonly extents: Extents
  /** Whether the map is complete without further blocks. */
  readonly complete: boolean
  /** Whether the blocks of the map count as part of the member's body (PAX 1.0). */
  readonly inBody: boolean
  /** Takes the next block of the map, which starts at `at`. */
  block(bytes: Buffer, at: number): void
}

/** Why a map is wrong for a file of `size` bytes of which `stored` are in the archive; undefined if it is not. */
export function extentsFault(extents: Extents, size: number, stored: number): string | undefined {
  let end = 0
  for (let i = 0; i < extents.length; i += 2) {
    const offset = extents[i]!
    const length = extents[i + 1] ?? NaN
    if (!(offset >= end && length >= 0 && offset + length <= size)) {
      return 'its extents overlap, are out of order, reach beyond the file or are not numbers'
    }
    end = offset + length
  }
  const sum = storedBytes(extents)
  return sum === stored
    ? undefined
    : `its extents hold ${sum} bytes, but the archive stores ${stored}`
}

/** The number of bytes in all extents. */
export function storedBytes(extents: Extents): number {
  let sum = 0
  for (let i = 1; i < extents.length; i += 2) sum += extents[i]!
  return sum
}
