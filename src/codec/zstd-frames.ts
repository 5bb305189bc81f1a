/** A Zstandard blob, cut into frames. */
import type { Source } from './source.ts'
import { compressionInvalid } from './zlib-stream.ts'
import { FRAME_MAGIC, START, type Step, type WindowLimit } from './zstd-steps.ts'

/** Bytes of one Zstandard frame, valid until the next piece. Skippable frames are left out. */
export interface Piece {
  readonly bytes: Buffer
  /** The position in the blob where it begins. */
  readonly offset: number
  /** Whether the frame ends with this piece. */
  readonly last: boolean
}

/** Where pieces end: fzstd gets single blocks. */
type Cut = 'frames' | 'blocks'

/** 2^29 bytes, as in Go's decoder (klauspost/compress), so in containerd and podman. */
export const MAX_WINDOW_LOG: number = 29

/** A decoder keeps its window in memory. fzstd copies it for each block, so 630 MB with 256 MiB take four minutes. */
const WINDOWS: Readonly<Record<Cut, WindowLimit>> = {
  frames: { bytes: 2 ** MAX_WINDOW_LOG, unless: '' },
  blocks: { bytes: 2 ** 27, unless: ' without the zstd program or Node 22.15' }
}

/**
 * Follows the headers of a Zstandard stream (RFC 8878, 3.1) and cuts it into frames, or into blocks as well. This makes
 * all decoders accept the same data: node:zlib (22) silently ends after the first frame and on truncated input, the
 * zstd program accepts gzip as a second frame, and fzstd would allocate a window of any size.
 * @throws COMPRESSION_INVALID for truncation, foreign data, dictionaries and windows that are too large
 */
export function* frames(source: Source, cutAt: Cut): Generator<Piece, void> {
  const walk = new FrameWalk(cutAt)
  for (let chunk = source(); chunk !== undefined; chunk = source()) yield* walk.cut(chunk)
  walk.assertEnded()
}

/** The same for chunks that arrive in their own time. @param isWhole false: they may end anywhere */
export async function* framesFrom(
  chunks: AsyncIterable<Buffer>,
  cutAt: Cut,
  isWhole: boolean
): AsyncGenerator<Piece, void> {
  const walk = new FrameWalk(cutAt)
  for await (const chunk of chunks) yield* walk.cut(chunk)
  if (isWhole) walk.assertEnded()
}

class FrameWalk {
  private readonly cutAt: Cut
  private step = START
  private left = START.bytes
  private field: number[] = []
  private offset = 0

  constructor(cutAt: Cut) {
    this.cutAt = cutAt
  }

  *cut(chunk: Buffer): Generator<Piece, void> {
    let from = 0
    let at = 0
    while (at < chunk.length || this.left === 0) {
      at += this.take(chunk, at)
      if (this.left > 0) break
      const done = this.advance(at)
      if (isOutside(done)) {
        const split = this.step.kind === 'header' && at < FRAME_MAGIC.length
        if (split)
          yield { bytes: FRAME_MAGIC, offset: this.offset + at - FRAME_MAGIC.length, last: false }
        from = split || isOutside(this.step) ? at : at - FRAME_MAGIC.length
      } else if (this.step === START || (this.cutAt === 'blocks' && done.kind === 'body')) {
        yield this.piece(chunk, from, at)
        from = at
      }
    }
    if (from < at && !isOutside(this.step)) yield this.piece(chunk, from, at)
    this.offset += chunk.length
  }

  assertEnded(): void {
    const atStart = this.step === START && this.left === START.bytes
    if (atStart && this.offset > 0) return
    throw compressionInvalid('The zstd data is cut off.', this.offset, 'unexpected end of file')
  }

  private piece(chunk: Buffer, from: number, to: number): Piece {
    const last = this.step === START
    return { bytes: chunk.subarray(from, to), offset: this.offset + from, last }
  }

  /** Consumes the part of the chunk that belongs to the current field. */
  private take(chunk: Buffer, at: number): number {
    const count = Math.min(this.left, chunk.length - at)
    if (isKept(this.step)) this.field.push(...chunk.subarray(at, at + count))
    this.left -= count
    return count
  }

  /** Goes to the next field and returns the completed one. */
  private advance(at: number): Step {
    const done = this.step
    const next = done.then(Buffer.from(this.field), WINDOWS[this.cutAt])
    if (typeof next === 'string') {
      throw compressionInvalid('The zstd data is not valid.', this.offset + at, next)
    }
    this.step = next
    this.left = next.bytes
    this.field = []
    return done
  }
}

function isOutside(step: Step): boolean {
  return step.kind === 'between' || step.kind === 'skip'
}

function isKept(step: Step): boolean {
  return step.kind === 'between' || step.kind === 'header'
}
