/** Where in a layer's tar are only zeros. */

/** Shorter runs are not worth remembering. */
const WORTH_BYTES = 1 << 16

const BLOCK_BYTES = 1 << 12
const ZEROS = Buffer.alloc(BLOCK_BYTES)

/** Finds long runs of zeros in bytes that come in chunks. Runs begin and end at the borders of blocks of 4 KiB, or of chunks. */
export class ZeroRuns {
  /** Start and end of each run, in order. */
  readonly found: number[] = []
  private position = 0
  /** Where the current run began, or -1. */
  private from = -1

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const to = Math.min(chunk.length, at + BLOCK_BYTES - ((this.position + at) % BLOCK_BYTES))
      if (!isZeros(chunk, at, to)) this.end(this.position + at)
      else if (this.from < 0) this.from = this.position + at
      at = to
    }
    this.position += chunk.length
  }

  finish(): void {
    this.end(this.position)
  }

  private end(at: number): void {
    if (this.from >= 0 && at - this.from >= WORTH_BYTES) this.found.push(this.from, at)
    this.from = -1
  }
}

/** The first byte decides most cases. */
function isZeros(chunk: Buffer, start: number, end: number): boolean {
  return chunk[start] === 0 && ZEROS.compare(chunk, start, end, 0, end - start) === 0
}

/**
 * The parts of a range that are in runs, in order. @param runs start and end of each, in order
 * @returns start and end of each part
 */
export function runsWithin(runs: ArrayLike<number>, start: number, end: number): number[] {
  const parts: number[] = []
  for (let at = firstAfter(runs, start); at < runs.length && runs[at]! < end; at += 2)
    parts.push(Math.max(runs[at]!, start), Math.min(runs[at + 1]!, end))
  return parts
}

/** Where the first run is that ends after a position. */
function firstAfter(runs: ArrayLike<number>, position: number): number {
  let [low, high] = [0, runs.length / 2]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (runs[2 * middle + 1]! <= position) low = middle + 1
    else high = middle
  }
  return 2 * low
}
