/** The content checksum of a Zstandard frame (RFC 8878, 3.1.1), for a decoder that does not verify it. */
import { Xxh64 } from './xxh64.ts'

/** The frame header descriptor follows the magic number. */
const DESCRIPTOR_AT = 4
const HAS_CHECKSUM = 4
const CHECKSUM_BYTES = 4

export class FrameCheck {
  private head = Buffer.alloc(0)
  private tail = Buffer.alloc(0)
  private hash: Xxh64 | undefined

  /** The frame as it is stored, in pieces. The first ones come before any content. */
  takeStored(bytes: Buffer): void {
    if (this.head.length <= DESCRIPTOR_AT) {
      this.head = Buffer.concat([this.head, bytes.subarray(0, DESCRIPTOR_AT + 1)])
      const descriptor = this.head[DESCRIPTOR_AT]
      if (descriptor !== undefined && (descriptor & HAS_CHECKSUM) !== 0) this.hash = new Xxh64()
    }
    if (this.hash !== undefined)
      this.tail = Buffer.concat([this.tail, bytes.subarray(-CHECKSUM_BYTES)]).subarray(
        -CHECKSUM_BYTES
      )
  }

  takeContent(bytes: Uint8Array): void {
    this.hash?.update(bytes)
  }

  /** Whether the checksum is that of the content. Call it once the frame is complete. */
  isRight(): boolean {
    return this.hash === undefined || this.tail.readUInt32LE() === this.hash.low()
  }
}
