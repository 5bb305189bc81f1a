/** Reads any part of a layer's tar by means of its index. Each span is verified before anything of it is given. */
import { webcrypto } from 'node:crypto'
import { decompressFrom, inflateAtOnce } from '../../codec/decompress-from.ts'
import { OciUnpackError } from '../../errors.ts'
import type { BlobParts } from '../../store/blob.ts'
import type { OpenIndex } from './open-index.ts'

/** So much of the compressed blob is read at once. */
const READ_BYTES = 1 << 20

/** So many spans are inflated at once; libuv has four threads. */
const AT_ONCE = 4

/** No span has more bytes, compressed or not, unless something is very unusual. */
const AT_ONCE_BYTES = 16 * 2 ** 20

/** Spans that are kept, because reads are often near each other. */
const KEPT_BYTES = 48 * 2 ** 20

export class SpanReader {
  private readonly index: OpenIndex
  private readonly blob: BlobParts
  /** Bytes of the blob. */
  private readonly blobSize: number
  /** Those that were used last are last. */
  private readonly kept = new Map<number, Promise<Buffer>>()
  /** A decoder that stopped at the beginning of a span at which none can begin. */
  private waiting: Decoder | undefined
  private readonly underWay = new Set<Promise<Buffer>>()
  /** How many spans are inflated, and those that wait until one of them is done. */
  private active = 0
  private readonly queue: (() => void)[] = []
  private isClosed = false
  /** Whether no span has been found yet in which a gzip member ends. */
  private isOneMember = true

  constructor(index: OpenIndex, blob: BlobParts, blobSize: number) {
    this.index = index
    this.blob = blob
    this.blobSize = blobSize
  }

  /** Start and end of each long run of zeros in the tar. */
  get zeroRuns(): ArrayLike<number> {
    return this.index.tail.runs
  }

  /** Fills the target from a position of the tar. @throws INDEX_INVALID, SYSCALL_FAILED, REGISTRY_* */
  async read(target: Buffer, position: number): Promise<void> {
    const { spans } = this.index.tail
    for (let done = 0; done < target.length;) {
      const at = position + done
      const number = spans.find(at)
      const span = await this.span(number)
      const copied = span.copy(target, done, at - spans.startOf(number))
      if (copied === 0) throw new Error('[internal] a read is not within the tar')
      done += copied
    }
  }

  /** Waits for what is under way. Nothing can be read any more. */
  async close(): Promise<void> {
    this.isClosed = true
    await Promise.allSettled([...this.underWay])
    this.waiting?.stop()
    this.waiting = undefined
    this.kept.clear()
    this.blob.close()
  }

  private span(number: number): Promise<Buffer> {
    const known = this.kept.get(number)
    const span = known ?? this.begin(number)
    this.kept.delete(number)
    this.kept.set(number, span)
    if (known === undefined) {
      span.catch(() => this.kept.delete(number))
      this.forget()
      this.readAhead(number)
    }
    return span
  }

  /** Whoever reads in order needs the next span soon. */
  private readAhead(number: number): void {
    const next = number + 1
    const isInOrder = this.kept.has(number - 1) && !this.kept.has(next)
    if (!isInOrder || next >= this.index.tail.spans.count) return
    const span = this.begin(next)
    span.catch(() => this.kept.delete(next))
    this.kept.set(next, span)
  }

  private begin(number: number): Promise<Buffer> {
    if (this.isClosed) throw new OciUnpackError('USAGE', 'The file was closed.')
    const span = this.inTurn(number)
    this.underWay.add(span)
    const ended = (): void => void this.underWay.delete(span)
    span.then(ended, ended)
    return span
  }

  private async inTurn(number: number): Promise<Buffer> {
    if (this.active < AT_ONCE) this.active += 1
    else await new Promise<void>((begin) => this.queue.push(begin))
    try {
      return await this.verified(number)
    } finally {
      const next = this.queue.shift()
      if (next === undefined) this.active -= 1
      else next()
    }
  }

  private forget(): void {
    let bytes = 0
    for (const number of [...this.kept.keys()].reverse()) {
      bytes += this.lengthOf(number)
      if (bytes > KEPT_BYTES) this.kept.delete(number)
    }
  }

  private lengthOf(number: number): number {
    const { spans, size } = this.index.tail
    const end = number + 1 < spans.count ? spans.startOf(number + 1) : size
    return end - spans.startOf(number)
  }

  /** The main thread, which answers everybody, does not hash. */
  private async verified(number: number): Promise<Buffer> {
    const { spans } = this.index.tail
    const content = await this.content(number)
    const digest = Buffer.from(await webcrypto.subtle.digest('SHA-256', content))
    if (!digest.equals(spans.at(number).digest)) throw this.differs('its digest is another one')
    return content
  }

  private async content(number: number): Promise<Buffer> {
    return (await this.contentAtOnce(number)) ?? this.contentInOrder(number)
  }

  /** Undefined if it is not a part of one gzip member, or that turns out to be wrong, also because something is damaged. */
  private async contentAtOnce(number: number): Promise<Buffer | undefined> {
    const { tail } = this.index
    const { restart } = tail.spans.at(number)
    const next = tail.spans.restartAfter(number) ?? tail.spans.count
    if (tail.compression !== 'gzip' || restart === undefined || restart.bits === 0) return undefined
    const end = this.endFrom(number)
    const length = this.lengthOf(number)
    const from = Math.floor(restart.bits / 8)
    const isUsual = from < end && end - from <= AT_ONCE_BYTES && length <= AT_ONCE_BYTES
    if (!isUsual || next !== number + 1 || !this.isOneMember) return undefined
    const output = Buffer.allocUnsafeSlow(length)
    const compressed = (position: number): AsyncIterable<Buffer> => this.compressed(position, end)
    if (await inflateAtOnce(this.index.restartOf(number), compressed, output)) return output
    this.isOneMember = false
    return undefined
  }

  private async contentInOrder(number: number): Promise<Buffer> {
    const decoder = this.decoderAt(number)
    try {
      const content = await decoder.take(this.lengthOf(number))
      if (content === undefined) throw this.differs('the layer ends before it')
      this.keepDecoder(decoder, number + 1)
      return content
    } catch (error) {
      decoder.stop()
      throw error instanceof OciUnpackError ? error : this.differs('it cannot be inflated', error)
    }
  }

  /** One that is at the beginning of a span, or before it. */
  private decoderAt(number: number): Decoder {
    const { spans } = this.index.tail
    const first = spans.restartAt(number)
    const start = spans.startOf(number)
    const { waiting } = this
    if (waiting !== undefined && waiting.at <= start && waiting.at > spans.startOf(first)) {
      this.waiting = undefined
      return waiting.from(start)
    }
    return this.decoderFrom(first).from(start)
  }

  private decoderFrom(number: number): Decoder {
    const { tail } = this.index
    const end = this.endFrom(number)
    const compressed = (position: number): AsyncIterable<Buffer> => this.compressed(position, end)
    const chunks = decompressFrom(tail.compression, this.index.restartOf(number), compressed)
    return new Decoder(chunks, tail.spans.startOf(number))
  }

  /** Where in the blob the data ends that begins with this span. */
  private endFrom(number: number): number {
    const { spans } = this.index.tail
    const next = spans.restartAfter(number)
    return next === undefined ? this.blobSize : Math.ceil(spans.at(next).restart!.bits / 8)
  }

  private keepDecoder(decoder: Decoder, next: number): void {
    const { spans } = this.index.tail
    const isNeeded = next < spans.count && spans.at(next).restart === undefined
    if (isNeeded) this.waiting?.stop()
    else decoder.stop()
    if (isNeeded) this.waiting = decoder
  }

  private async *compressed(from: number, end: number): AsyncGenerator<Buffer> {
    for (let at = from; at < end;) {
      const part = await this.blob.read(at, Math.min(READ_BYTES, end - at))
      if (part.length === 0) return
      at += part.length
      yield part
    }
  }

  private differs(reason: string, cause?: unknown): OciUnpackError {
    const { path, tail } = this.index
    return new OciUnpackError('INDEX_INVALID', 'A part of a layer is not what its index says.', {
      facts: { blob: tail.blob, file: path, reason },
      hint: 'Find out with verify whether the layer is damaged. If it is not, remove the index, which is then made again.',
      ...(cause === undefined ? {} : { cause })
    })
  }
}

/** Bytes of the tar, from a position on. */
class Decoder {
  /** Of the next byte. */
  at: number
  private readonly chunks: AsyncIterator<Buffer>
  private chunk: Buffer = Buffer.alloc(0)
  private skipped = 0

  constructor(chunks: AsyncIterable<Buffer>, at: number) {
    this.chunks = chunks[Symbol.asyncIterator]()
    this.at = at
  }

  /** What is before a position is passed over. */
  from(position: number): this {
    this.skipped = position - this.at
    return this
  }

  /** Undefined if there are fewer bytes. */
  async take(length: number): Promise<Buffer | undefined> {
    while (this.skipped > 0) {
      if (!(await this.fill())) return undefined
      const skipped = Math.min(this.skipped, this.chunk.length)
      this.advance(skipped)
      this.skipped -= skipped
    }
    const taken = Buffer.allocUnsafeSlow(length)
    for (let done = 0; done < length;) {
      if (!(await this.fill())) return undefined
      const copied = this.chunk.copy(taken, done)
      this.advance(copied)
      done += copied
    }
    return taken
  }

  /** What it reads from is left in peace. */
  stop(): void {
    void this.chunks.return?.(undefined).catch(() => undefined)
  }

  private advance(bytes: number): void {
    this.chunk = this.chunk.subarray(bytes)
    this.at += bytes
  }

  private async fill(): Promise<boolean> {
    while (this.chunk.length === 0) {
      const next = await this.chunks.next()
      if (next.done === true) return false
      this.chunk = next.value
    }
    return true
  }
}
