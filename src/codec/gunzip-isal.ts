/** Decompression of gzip by ISA-L, in this process. */
import { INFLATER_BYTES, IsalDataError, IsalInflater } from '../sys/isal.ts'
import { assertPadding, hasHeaderChecksum, hasReservedFlags, isMagic } from './gzip-header.ts'
import type { Source } from './source.ts'
import { compressionInvalid } from './zlib-stream.ts'

/** Small enough to be still in the core's cache when it is hashed and written. */
const CHUNK_BYTES = 1 << 18

/** ISA-L refuses a header with a checksum if it comes in pieces. This is longer than any header. */
const CHECKED_HEADER_BYTES = 1 << 16

/** Room for a header in front of a chunk of input. */
const INPUT_BYTES = CHECKED_HEADER_BYTES + (1 << 18)

/** Room for three numbers, after which the state is aligned for any processor. */
const NUMBERS_BYTES = 64

/** The memory of a stream of members. If it is shared, any thread may go on with it, one at a time. */
export const GUNZIP_BYTES: number = NUMBERS_BYTES + INFLATER_BYTES + INPUT_BYTES

/** What comes next, as a number in shared memory. */
const BETWEEN = 0
const INSIDE = 1
const STARVED = 2
const OVER = 3

const STATE = 0
const MEMBERS = 1
const TAKEN = 2

/** Where compressed bytes come from. */
export interface GunzipInput {
  /** Puts the next bytes into the buffer, and returns their number; 0 at the end, however often it is called. */
  read(buffer: Buffer): number
  /** Bytes that were read are about to be moved. */
  release(): void
}

/** Inflates gzip members. Accepts and refuses the same data as `gunzip` (RFC 1952, 2.2). */
export class IsalGunzip {
  private readonly inflater: IsalInflater
  private readonly input: Buffer
  private readonly source: GunzipInput
  /** What comes next, how many members there were, and how many compressed bytes were taken. */
  private readonly numbers: Float64Array

  private constructor(memory: ArrayBufferLike, offset: number, source: GunzipInput) {
    const state = Buffer.from(memory, offset + NUMBERS_BYTES, INFLATER_BYTES)
    this.input = Buffer.from(memory, offset + NUMBERS_BYTES + INFLATER_BYTES, INPUT_BYTES)
    this.inflater = IsalInflater.create({ state, input: this.input })!
    this.numbers = new Float64Array(memory, offset, 3)
    this.source = source
  }

  /**
   * Undefined if this machine has no ISA-L.
   * @param memory GUNZIP_BYTES from `offset`, a multiple of eight: zeros, or what an earlier one has left
   */
  static create(
    memory: ArrayBufferLike,
    offset: number,
    source: GunzipInput
  ): IsalGunzip | undefined {
    return IsalInflater.isThere() ? new IsalGunzip(memory, offset, source) : undefined
  }

  /**
   * Fills the output; less only at the end of all members. Returns the number of bytes.
   * @throws COMPRESSION_INVALID, and what reading throws
   */
  next(output: Buffer): number {
    let filled = 0
    try {
      while (filled < output.length && this.isReady()) {
        const { length, ended } = this.inflater.inflate(output, filled)
        filled += length
        // room left in the output shows that the input is used up; otherwise more output may be pending
        if (ended) this.state = BETWEEN
        else this.state = filled < output.length ? STARVED : INSIDE
      }
      return filled
    } catch (error) {
      throw error instanceof IsalDataError ? this.damaged(error) : error
    }
  }

  private get state(): number {
    return this.numbers[STATE]!
  }

  private set state(state: number) {
    this.numbers[STATE] = state
  }

  private damaged(error: IsalDataError): Error {
    const offset = this.numbers[TAKEN]! - this.inflater.left
    return compressionInvalid('The gzip data is damaged.', offset, error.message, error)
  }

  /** Provides something to inflate. Returns false at the end of everything. */
  private isReady(): boolean {
    if (this.state === STARVED) this.refill()
    else if (this.state === BETWEEN) this.begin()
    return this.state !== OVER
  }

  private refill(): void {
    const length = this.take(0)
    if (length === 0) throw this.cutOff()
    this.inflater.feed(0, length)
  }

  private begin(): void {
    const head = this.head()
    if (this.numbers[MEMBERS]! > 0 && (head.length === 0 || !isMagic(head))) {
      const more = (): Buffer | undefined => {
        const length = this.take(0)
        return length === 0 ? undefined : this.input.subarray(0, length)
      }
      assertPadding(head, more, this.numbers[TAKEN]! - head.length)
      this.state = OVER
      return
    }
    if (hasReservedFlags(head)) throw new IsalDataError('unknown header flags')
    this.inflater.begin(head.byteOffset - this.input.byteOffset, this.endOf(head))
    this.numbers[MEMBERS]! += 1
    this.state = INSIDE
  }

  /** The next input: at least the bytes that decide what it is, unless there are fewer. */
  private head(): Buffer {
    const { left } = this.inflater
    const start = left === 0 ? 0 : this.inflater.position
    let head = this.input.subarray(start, start + left)
    while (head.length < (hasHeaderChecksum(head) ? CHECKED_HEADER_BYTES : 4)) {
      this.source.release()
      head.copy(this.input)
      const length = this.take(head.length)
      if (length === 0) return this.input.subarray(0, head.length)
      head = this.input.subarray(0, head.length + length)
    }
    return head
  }

  private endOf(head: Buffer): number {
    return head.byteOffset - this.input.byteOffset + head.length
  }

  /** More input, from `start` on. */
  private take(start: number): number {
    const length = this.source.read(this.input.subarray(start))
    this.numbers[TAKEN]! += length
    return length
  }

  private cutOff(): Error {
    const offset = this.numbers[TAKEN]!
    return compressionInvalid('The gzip data is cut off.', offset, 'unexpected end of file')
  }
}

/** The same as chunks, each valid until the next; undefined if this machine has no ISA-L. */
export function gunzipByIsal(source: Source): Iterable<Buffer> | undefined {
  const gunzip = IsalGunzip.create(new ArrayBuffer(GUNZIP_BYTES), 0, copying(source))
  return gunzip === undefined ? undefined : chunksOf(gunzip)
}

function* chunksOf(gunzip: IsalGunzip): Generator<Buffer> {
  const output = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  for (let length = gunzip.next(output); length > 0; length = gunzip.next(output))
    yield output.subarray(0, length)
}

/** A source gives chunks of any size. */
function copying(source: Source): GunzipInput {
  let chunk: Buffer = Buffer.alloc(0)
  return {
    read(buffer) {
      if (chunk.length === 0) chunk = source() ?? chunk
      const length = chunk.copy(buffer)
      chunk = chunk.subarray(length)
      return length
    },
    release: () => undefined
  }
}
