/** Decompression of gzip by ISA-L, in this process. */
import { IsalDataError, type Inflated, type IsalInflater } from '../sys/isal.ts'
import { assertPadding, hasHeaderChecksum, hasReservedFlags, isMagic } from './gzip-header.ts'
import type { Source } from './source.ts'
import { compressionInvalid } from './zlib-stream.ts'

/** Small enough to be still in the core's cache when it is hashed and written. */
const CHUNK_BYTES = 1 << 18

/** ISA-L refuses a header with a checksum if it comes in pieces. This is longer than any header. */
const CHECKED_HEADER_BYTES = 1 << 16

/**
 * Inflates gzip members with ISA-L, in this process. Accepts and refuses the same data as `gunzip` (RFC 1952, 2.2).
 * While `hasIdleCore` is true, a chunk is inflated on another thread while the one before is consumed. If all cores are
 * busy, this would only move the chunk away from the cache of the core that needs it.
 */
export async function* gunzipByIsal(
  inflater: IsalInflater,
  source: Source,
  hasIdleCore: () => boolean
): AsyncGenerator<Buffer> {
  const members = new Members(inflater, source)
  let output = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let spare = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let ahead: Promise<Buffer> | undefined
  try {
    for (;;) {
      const chunk = ahead === undefined ? members.next(output) : await ahead
      if (chunk.length === 0) return
      ;[output, spare] = [spare, output]
      ahead = hasIdleCore() ? members.nextApart(output) : undefined
      yield chunk
    }
  } catch (error) {
    throw error instanceof IsalDataError ? members.damaged(error) : error
  } finally {
    await ahead?.catch(() => undefined)
  }
}

/** The output of all members, followed by an empty chunk. */
class Members {
  private readonly inflater: IsalInflater
  private readonly source: Source
  /** The number of compressed bytes taken from the source. */
  private taken = 0
  private members = 0
  private state: 'between' | 'inside' | 'starved' | 'over' = 'between'

  constructor(inflater: IsalInflater, source: Source) {
    this.inflater = inflater
    this.source = source
  }

  next(output: Buffer): Buffer {
    while (this.isReady()) {
      const chunk = this.settle(this.inflater.inflate(output), output)
      if (chunk.length > 0) return chunk
    }
    return output.subarray(0, 0)
  }

  async nextApart(output: Buffer): Promise<Buffer> {
    while (this.isReady()) {
      const chunk = this.settle(await this.inflater.inflateApart(output), output)
      if (chunk.length > 0) return chunk
    }
    return output.subarray(0, 0)
  }

  damaged(error: IsalDataError): Error {
    return compressionInvalid('The gzip data is damaged.', this.offset, error.message, error)
  }

  private get offset(): number {
    return this.taken - this.inflater.rest.length
  }

  /** Room left in the output shows that the input is used up. Otherwise more output may be pending. */
  private settle({ length, ended }: Inflated, output: Buffer): Buffer {
    if (ended) this.state = 'between'
    else this.state = length < output.length ? 'starved' : 'inside'
    return output.subarray(0, length)
  }

  /** Provides something to inflate. Returns false at the end of everything. */
  private isReady(): boolean {
    if (this.state === 'starved') this.refill()
    else if (this.state === 'between') this.begin()
    return this.state !== 'over'
  }

  private refill(): void {
    const chunk = this.take()
    if (chunk === undefined) throw this.cutOff()
    this.inflater.feed(chunk)
  }

  private begin(): void {
    const head = this.head()
    if (this.members > 0 && (head.length === 0 || !isMagic(head))) {
      assertPadding(head, () => this.take(), this.taken - head.length)
      this.state = 'over'
      return
    }
    if (hasReservedFlags(head)) throw new IsalDataError('unknown header flags')
    this.inflater.begin()
    this.inflater.feed(head)
    this.members += 1
    this.state = 'inside'
  }

  /** The next input: at least the bytes that decide what it is, unless there are fewer. */
  private head(): Buffer {
    let head = this.inflater.rest
    while (head.length < (hasHeaderChecksum(head) ? CHECKED_HEADER_BYTES : 4)) {
      const kept = Buffer.from(head)
      const chunk = this.take()
      if (chunk === undefined) return kept
      head = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    }
    return head
  }

  private take(): Buffer | undefined {
    const chunk = this.source()
    this.taken += chunk?.length ?? 0
    return chunk
  }

  private cutOff(): Error {
    return compressionInvalid('The gzip data is cut off.', this.taken, 'unexpected end of file')
  }
}
