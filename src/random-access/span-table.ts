/**
 * A layer's tar in spans. Each has a digest, which was taken while the layer was verified, and so can be verified alone. At
 * the beginning of most of them a decoder can begin; where it cannot, it begins at an earlier one.
 */
import { createHash, type Hash } from 'node:crypto'

/** A part of the index file. */
export interface Place {
  offset: number
  /** Bytes. */
  length: number
}

export interface Span {
  /** Bytes of the tar before it. */
  start: number
  /** SHA-256. */
  digest: Buffer
  /** Where a decoder can begin with it. */
  restart: { bits: number; window: Place } | undefined
}

const SPAN_BYTES = 64
const DIGEST = 8
const BITS = 40
const WINDOW_OFFSET = 48
const WINDOW_LENGTH = 56
const NO_RESTART = -1

export class SpanTable {
  readonly count: number
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.count = bytes.length / SPAN_BYTES
  }

  at(index: number): Span {
    const at = index * SPAN_BYTES
    const { bytes } = this
    const bits = bytes.readDoubleLE(at + BITS)
    const window = {
      offset: bytes.readDoubleLE(at + WINDOW_OFFSET),
      length: bytes.readUInt32LE(at + WINDOW_LENGTH)
    }
    return {
      start: bytes.readDoubleLE(at),
      digest: bytes.subarray(at + DIGEST, at + BITS),
      restart: bits === NO_RESTART ? undefined : { bits, window }
    }
  }

  startOf(index: number): number {
    return this.bytes.readDoubleLE(index * SPAN_BYTES)
  }

  /** The span that contains a position of the tar. */
  find(position: number): number {
    let [low, high] = [0, this.count - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.startOf(middle) <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The nearest span, at this or before it, at which a decoder can begin. */
  restartAt(index: number): number {
    let at = index
    while (at > 0 && this.at(at).restart === undefined) at -= 1
    return at
  }

  /** The first span after this at which a decoder can begin; undefined if there is none. */
  restartAfter(index: number): number | undefined {
    for (let at = index + 1; at < this.count; at++) if (this.at(at).restart !== undefined) return at
    return undefined
  }

  /** What is wrong with it, for a tar of so many bytes. */
  fault(size: number): string | undefined {
    if (!Number.isInteger(this.count) || this.count === 0) return 'the table of spans is cut off'
    if (this.startOf(0) !== 0 || this.at(0).restart === undefined)
      return 'the first span does not begin with the layer'
    for (let at = 0; at < this.count; at++) {
      const end = at + 1 < this.count ? this.startOf(at + 1) : size
      if (!(end > this.startOf(at)) && size > 0) return `span ${at} has no content`
    }
    return undefined
  }
}

export function encodeSpans(spans: readonly Span[]): Buffer {
  const bytes = Buffer.alloc(spans.length * SPAN_BYTES)
  for (const [index, { start, digest, restart }] of spans.entries()) {
    const at = index * SPAN_BYTES
    bytes.writeDoubleLE(start, at)
    digest.copy(bytes, at + DIGEST)
    bytes.writeDoubleLE(restart?.bits ?? NO_RESTART, at + BITS)
    bytes.writeDoubleLE(restart?.window.offset ?? 0, at + WINDOW_OFFSET)
    bytes.writeUInt32LE(restart?.window.length ?? 0, at + WINDOW_LENGTH)
  }
  return bytes
}

interface NewRestart {
  bits: number
  window: Buffer
}

/** Makes the table while the tar passes. */
export class SpanRecorder {
  readonly spans: Span[] = []
  position = 0
  private readonly span: number
  private readonly keep: (window: Buffer) => Place
  private readonly isAnywhere: boolean
  private start = 0
  private hash: Hash = createHash('sha256')
  private restartHere: Span['restart']
  private lastRestart = -Infinity

  /**
   * @param span so many bytes a span should have at least; none has more than twice as many
   * @param keep puts a window into the index file
   * @param isAnywhere the tar is not compressed
   */
  constructor(span: number, keep: (window: Buffer) => Place, isAnywhere: boolean) {
    this.span = span
    this.keep = keep
    this.isAnywhere = isAnywhere
  }

  /** Whether a decoder should be able to begin so many bytes after what has passed. */
  wants(bytes: number): boolean {
    return this.position + bytes - this.lastRestart >= this.span
  }

  /** A decoder can begin after what has passed. */
  restart({ bits, window }: NewRestart): void {
    this.cut()
    this.lastRestart = this.position
    this.restartHere = { bits, window: this.keep(window) }
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.isAnywhere && this.wants(0))
        this.restart({ bits: 8 * this.position, window: NOTHING })
      const most = this.isAnywhere ? this.span : 2 * this.span
      const part = chunk.subarray(at, at + most - (this.position - this.start))
      this.hash.update(part)
      this.position += part.length
      at += part.length
      if (this.position - this.start === most) this.cut()
    }
  }

  finish(): void {
    this.cut()
    if (this.spans.length === 0) this.add()
  }

  private cut(): void {
    if (this.position > this.start) this.add()
  }

  private add(): void {
    const digest = this.hash.digest()
    this.spans.push({ start: this.start, digest, restart: this.restartHere })
    this.start = this.position
    this.restartHere = undefined
    this.hash = createHash('sha256')
  }
}

const NOTHING = Buffer.alloc(0)
