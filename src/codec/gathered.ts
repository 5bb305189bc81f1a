/** Small pieces on their way to a compressor. */
import { BLOCK_BYTES } from './compressor.ts'

/** As `Compressor.write`: takes the bytes, and gives memory for the next. */
export type TakeBytes = (bytes: Buffer) => Promise<Buffer>

/** Gathers pieces, so that a compressor gets few large ones: blocks of gzip, which need not be copied. */
export class Gathered {
  private readonly take: TakeBytes
  private memory: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  private length = 0

  constructor(take: TakeBytes) {
    this.take = take
  }

  /** Takes a copy of the bytes. */
  async write(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const taken = bytes.copy(this.room(), 0, from)
      from += taken
      await this.filled(taken)
    }
  }

  /** Memory for the next bytes, at least one, until anything is written. */
  room(): Buffer {
    return this.memory.subarray(this.length)
  }

  /** Takes what is in the room now. */
  async filled(count: number): Promise<void> {
    this.length += count
    if (this.length === this.memory.length) await this.flush()
  }

  async zeros(count: number): Promise<void> {
    if (count > 0) await this.write(Buffer.alloc(count))
  }

  /** Passes on what was gathered. */
  async flush(): Promise<void> {
    const bytes = this.memory.subarray(0, this.length)
    this.length = 0
    this.memory = await this.take(bytes)
  }
}
