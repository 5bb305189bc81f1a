/** Streaming a blob, however often the connection breaks. */
import { connectionFailed, answerInvalid, sizeDiffers } from './errors.ts'
import { refuseEncoding } from './documents.ts'
import { HttpFailure } from './http-failure.ts'
import type { RegistryBlob } from './registry.ts'
import type { Answer } from './redirects.ts'
import type { Requests } from './requests.ts'
import { throwIfStopped } from './session.ts'
import { Tries, type Setback } from './tries.ts'

/** A connection that breaks after so much was worth its while. */
const PROGRESS_BYTES = 1 << 20

type Take = (bytes: Buffer) => Promise<void>

/** @throws BLOB_NOT_FOUND, BLOB_SIZE_MISMATCH, REGISTRY_*, ABORTED, what `take` throws */
export async function download(
  requests: Requests,
  blob: RegistryBlob,
  part: Part,
  take: Take
): Promise<void> {
  const transfer = new Transfer(requests, blob, part, take)
  while (transfer.offset < part.end) await transfer.step()
}

/** From `offset` up to `end`, in bytes. */
interface Part {
  offset: number
  end: number
}

class Transfer {
  offset: number
  private readonly requests: Requests
  private readonly blob: RegistryBlob
  private readonly end: number
  private readonly take: Take
  private readonly tries: Tries
  private worthwhileAt: number
  private ranges = true

  constructor(requests: Requests, blob: RegistryBlob, { offset, end }: Part, take: Take) {
    this.requests = requests
    this.blob = blob
    this.end = end
    this.offset = offset
    this.take = take
    this.tries = new Tries(requests.session, `GET blobs/${blob.digest}`)
    this.worthwhileAt = offset + PROGRESS_BYTES
  }

  /** Whether more of the blob may follow, which is not read. */
  private get isPart(): boolean {
    return this.end < this.blob.size
  }

  /** One request, and as much as it brings. */
  async step(): Promise<void> {
    const answer = await this.ask()
    refuseEncoding(this.requests.session, answer)
    if (answer.status === 416) {
      this.rangeRefused(answer)
      return
    }
    const setback = await this.receive(answer, this.startOf(answer))
    if (this.offset >= this.worthwhileAt) {
      this.tries.progress()
      this.worthwhileAt = this.offset + PROGRESS_BYTES
    }
    if (setback !== undefined) await this.tries.again(setback)
  }

  private ask(): Promise<Answer> {
    const { digest } = this.blob
    const range = this.usesRange() ? { range: `bytes=${this.offset}-${this.end - 1}` } : undefined
    return this.requests.send({
      method: 'GET',
      to: `blobs/${digest}`,
      access: 'pull',
      headers: { accept: '*/*', 'accept-encoding': 'identity', ...range },
      accept: range === undefined ? [200] : [200, 206, 416],
      missing: 'BLOB_NOT_FOUND',
      blob: digest,
      tries: this.tries
    })
  }

  private usesRange(): boolean {
    return this.ranges && (this.offset > 0 || this.isPart)
  }

  /** The registry says that there is nothing left: the blob is shorter, or it cannot do ranges. */
  private rangeRefused(answer: Answer): void {
    answer.discard()
    const total = /^bytes \*\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1]
    if (total !== undefined && Number(total) !== this.blob.size)
      throw sizeDiffers(answer.place, this.blob.size, `${total} bytes`)
    this.ranges = false
  }

  /** Where in the blob the answer begins. */
  private startOf(answer: Answer): number {
    const { headers, place, status } = answer
    if (status === 200) {
      const length = headers['content-length']
      if (length !== undefined && Number(length) !== this.blob.size) {
        answer.discard()
        throw sizeDiffers(place, this.blob.size, `${Number(length)} bytes`)
      }
      return 0
    }
    const header = headers['content-range'] ?? ''
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header.trim()) ?? []
    if (start === undefined || Number(start) !== this.offset) {
      answer.discard()
      throw answerInvalid(place, 'it is not the part that was asked for', {
        expected: `bytes ${this.offset}-`,
        found: this.requests.session.secrets.show(header)
      })
    }
    if (total !== '*' && Number(total) !== this.blob.size) {
      answer.discard()
      throw sizeDiffers(place, this.blob.size, `${total!} bytes`)
    }
    return this.offset
  }

  /** Hands on what is not known yet. Returns why it was not everything. */
  private async receive(answer: Answer, start: number): Promise<Setback | undefined> {
    let position = start
    const pieces = answer.body[Symbol.asyncIterator]()
    try {
      for (;;) {
        const piece = await this.next(pieces, answer)
        if (!Buffer.isBuffer(piece)) return piece === 'end' ? this.ended(answer) : piece
        const unknown = piece.subarray(Math.max(this.offset - position, 0))
        position += piece.length
        if (unknown.length > 0) await this.hand(answer, unknown)
        if (this.isPart && this.offset === this.end) return undefined
      }
    } finally {
      await pieces.return?.().catch(() => undefined)
    }
  }

  private async next(
    pieces: AsyncIterator<Buffer>,
    answer: Answer
  ): Promise<Buffer | 'end' | Setback> {
    try {
      const next = await pieces.next()
      throwIfStopped(this.requests.session.signal)
      return next.done === true ? 'end' : next.value
    } catch (error) {
      throwIfStopped(this.requests.session.signal)
      if (!(error instanceof HttpFailure)) throw error
      return { error: connectionFailed(answer.place, error), reason: error.message }
    }
  }

  private async hand({ place }: Answer, bytes: Buffer): Promise<void> {
    const left = this.blob.size - this.offset
    if (bytes.length > left) throw sizeDiffers(place, this.blob.size, 'more')
    const wanted = bytes.subarray(0, this.isPart ? this.end - this.offset : bytes.length)
    this.offset += wanted.length
    await this.take(wanted)
    throwIfStopped(this.requests.session.signal)
  }

  /** A proxy may end an answer properly although its own source broke. */
  private ended({ place }: Answer): Setback | undefined {
    if (this.offset === this.end) return undefined
    const error = sizeDiffers(place, this.blob.size, `${this.offset} bytes`)
    return { error, reason: 'the answer ended too early' }
  }
}
