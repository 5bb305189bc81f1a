/** Inflating gzip while looking for places where inflating can begin. */
import { BlockInflater, ZlibDataError } from '../sys/zlib.ts'
import { assertPadding, isMagic } from './gzip-header.ts'
import type { Source } from './source.ts'
import { compressionInvalid } from './zlib-stream.ts'

const CHUNK_BYTES = 1 << 18

/** Where a block begins, and what it may refer to. */
export interface Restart {
  /** Bits of the compressed data before it. */
  bits: number
  /** The last bytes before it, at most 32 KiB; none at the beginning of a member. */
  window: Buffer
}

/** Who needs restarts. What is told between two chunks is about the place between them. */
export interface RestartListener {
  /** Whether a restart is needed so many bytes after the last chunk. */
  wants(bytes: number): boolean
  /** One that was needed, right after the chunk that was given last. */
  restart(at: Restart): void
}

/**
 * Inflates gzip members to the end of the source, as `gunzip` does. Undefined if this process has no zlib for it.
 * @throws COMPRESSION_INVALID
 */
export function gunzipWithRestarts(
  source: Source,
  listener: RestartListener
): Iterable<Buffer> | undefined {
  const inflater = BlockInflater.create()
  return inflater === undefined ? undefined : new Members(inflater, source, listener).chunks()
}

class Members {
  private readonly inflater: BlockInflater
  private readonly source: Source
  private readonly listener: RestartListener
  private readonly output: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  private filled = 0
  /** Compressed bytes that were taken from the source. */
  private taken = 0

  constructor(inflater: BlockInflater, source: Source, listener: RestartListener) {
    this.inflater = inflater
    this.source = source
    this.listener = listener
  }

  *chunks(): Generator<Buffer> {
    try {
      do yield* this.member()
      while (this.hasMore())
      yield* this.flush()
    } catch (error) {
      throw error instanceof ZlibDataError ? this.damaged(error) : error
    } finally {
      this.inflater.close()
    }
  }

  private *member(): Generator<Buffer> {
    const { inflater, listener, output } = this
    for (;;) {
      if (inflater.rest.length === 0 && !this.refill()) throw this.cutOff()
      const { length, at } = inflater.inflate(output, this.filled)
      this.filled += length
      if (at === 'border' && listener.wants(this.filled)) {
        yield* this.flush()
        listener.restart({ bits: this.bits(), window: inflater.window() })
      } else if (this.filled === output.length) yield* this.flush()
      if (at === 'end') return
    }
  }

  private *flush(): Generator<Buffer> {
    const { filled } = this
    this.filled = 0
    if (filled > 0) yield this.output.subarray(0, filled)
  }

  private bits(): number {
    const { rest, unusedBits } = this.inflater
    return (this.taken - rest.length) * 8 - unusedBits
  }

  private refill(): boolean {
    const chunk = this.source()
    if (chunk === undefined) return false
    this.taken += chunk.length
    this.inflater.feed(chunk)
    return true
  }

  /** Whether another member follows. @throws COMPRESSION_INVALID if something else does */
  private hasMore(): boolean {
    const { inflater, source } = this
    if (inflater.rest.length === 0 && !this.refill()) return false
    const { rest } = inflater
    if (rest[0] === 0x1f && (rest.length === 1 || isMagic(rest))) {
      inflater.next()
      return true
    }
    assertPadding(rest, source, this.taken - rest.length)
    return false
  }

  private damaged(error: ZlibDataError): Error {
    const offset = this.taken - this.inflater.rest.length
    return compressionInvalid('The gzip data is damaged.', offset, error.message, error)
  }

  private cutOff(): Error {
    return compressionInvalid('The gzip data is cut off.', this.taken, 'unexpected end of file')
  }
}
