/** The bytes of one request of an upload: in small pieces, counted, and watched for a connection that takes no more. */
import { sourceChanged } from './errors.ts'
import type { Grace } from './grace.ts'
import { HttpFailure } from './http-failure.ts'
import type { RegistryBlob } from './registry.ts'
import type { Session } from './session.ts'

export type ReadFrom = (offset: number) => AsyncIterable<Buffer>

/** Small enough that a slow connection takes each in time. */
const PIECE = 64 << 10

interface Part {
  blob: RegistryBlob
  start: number
  end: number
  /**
   * Whether the body may end before `end` if the caller stops the operation: the registry then still answers, so that
   * the session can be closed. Otherwise, what little is left is sent.
   */
  mayEndEarly: boolean
}

export class UploadBody {
  private readonly session: Session
  private readonly read: ReadFrom
  private readonly part: Part
  private readonly grace: Grace

  /** @param grace is given up when the connection stalls */
  constructor(session: Session, read: ReadFrom, part: Part, grace: Grace) {
    this.session = session
    this.read = read
    this.part = part
    this.grace = grace
  }

  /** From the beginning, each time. */
  async *pieces(): AsyncIterable<Buffer> {
    const { start, end } = this.part
    const source = this.read(start)[Symbol.asyncIterator]()
    let position = start
    try {
      while (position < end) {
        const bytes = await this.next(source)
        if (bytes === 'stopped') return
        if (bytes === undefined) throw this.changed(position)
        // a chunk may end in the middle of what was read
        const wanted = bytes.subarray(0, end - position)
        const isLast = position + wanted.length === this.part.blob.size
        if (isLast) await this.expectEnd(source, position + bytes.length)
        for (let at = 0; at < wanted.length; at += PIECE)
          yield* this.watched(wanted.subarray(at, at + PIECE))
        position += wanted.length
      }
    } finally {
      // it may be waiting for something that does not come any more, so that is not waited for
      void source.return?.().catch(() => undefined)
    }
  }

  private async next(source: AsyncIterator<Buffer>): Promise<Buffer | undefined | 'stopped'> {
    const { signal } = this.session
    if (this.part.mayEndEarly && signal.aborted) return 'stopped'
    const reading = source.next()
    const result = await (this.part.mayEndEarly
      ? Promise.race([reading, this.grace.begun])
      : reading)
    if (result === 'stopped') {
      reading.catch(() => undefined)
      return result
    }
    return result.done === true ? undefined : result.value
  }

  private *watched(piece: Buffer): Iterable<Buffer> {
    const stall = (): void =>
      this.grace.giveUp(new HttpFailure('stalled', 'STALLED', 'the registry takes no more bytes'))
    const timer = setTimeout(stall, this.session.timing.stall)
    try {
      yield piece
    } finally {
      clearTimeout(timer)
    }
  }

  /** Before the last bytes are sent: afterwards, the upload might already be complete. */
  private async expectEnd(source: AsyncIterator<Buffer>, position: number): Promise<void> {
    const next = position > this.part.blob.size ? undefined : await this.next(source)
    const found = position + (Buffer.isBuffer(next) ? next.length : 0)
    if (found > this.part.blob.size) throw this.changed(found)
  }

  private changed(found: number): Error {
    const { repository } = this.session
    const place = { repository, request: 'upload', blob: this.part.blob.digest }
    return sourceChanged(place, this.part.blob.size, found)
  }
}
