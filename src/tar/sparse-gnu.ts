/** Sparse maps in old GNU format. */
import { readNumber } from './number.ts'
import type { SparseMap } from './sparse.ts'

const ENTRY_SIZE = 24
const HEADER = { entries: 386, count: 4, extended: 482, realSize: 483 } as const
const EXTENSION = { entries: 0, count: 21, extended: 504 } as const

/** The map of an old GNU sparse member (type `S`), which begins in its header and continues in the following blocks. */
export class OldGnuSparseMap implements SparseMap {
  readonly extents: number[] = []
  readonly inBody = false
  complete = false

  constructor(bytes: Buffer, at: number) {
    this.take(bytes, at, HEADER)
  }

  block(bytes: Buffer, at: number): void {
    this.take(bytes, at, EXTENSION)
  }

  private take(bytes: Buffer, at: number, part: typeof HEADER | typeof EXTENSION): void {
    for (let i = 0; i < part.count; i++) {
      const start = at + part.entries + i * ENTRY_SIZE
      if (bytes[start] === 0) break
      this.extents.push(readNumber(bytes, start, start + 12))
      this.extents.push(readNumber(bytes, start + 12, start + 24))
    }
    this.complete = bytes[at + part.extended] === 0
  }
}

/** Logical size of an old GNU sparse member; NaN if malformed. */
export function oldGnuSize(bytes: Buffer, at: number): number {
  return readNumber(bytes, at + HEADER.realSize, at + HEADER.realSize + 12)
}
