/** Gathers small pieces of an image into large ones. */

/** A large piece has at least half as many bytes. */
const PIECE = 1 << 18

export class BlockBuffer {
  /** Where the next byte belongs. */
  position: number
  /** What was gathered so far, and room for more. */
  bytes: Buffer = Buffer.alloc(PIECE)
  private used = 0

  constructor(position: number) {
    this.position = position
  }

  get isFull(): boolean {
    return this.used >= PIECE / 2
  }

  put(bytes: Buffer): void {
    const at = this.claim(bytes.length)
    bytes.copy(this.bytes, at)
  }

  /** Zeros up to a position. */
  fillTo(position: number): void {
    this.claim(position - this.position)
  }

  /** Room for the next bytes, which are zeros, and where it is in `bytes`. */
  claim(length: number): number {
    const at = this.used
    if (at + length > this.bytes.length)
      this.bytes = Buffer.concat([this.bytes, Buffer.alloc(at + length)])
    this.used += length
    this.position += length
    return at
  }

  /** What was gathered; it belongs to the caller. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.used)
    this.bytes = Buffer.alloc(PIECE)
    this.used = 0
    return taken
  }
}
