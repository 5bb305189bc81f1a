/** Counts what goes over the network for one image, and tells about it at most ten times a second. */
import { Rate } from './rate.ts'
import type { WriterEvent } from './transport.ts'

const INTERVAL_MS = 100

export class TransferMeter {
  private readonly onEvent: (event: WriterEvent) => void
  private readonly rate = new Rate()
  private bytes = 0
  private total: number

  /** @param total bytes of all blobs that may have to be transferred */
  constructor(total: number, onEvent: (event: WriterEvent) => void) {
    this.total = total
    this.onEvent = onEvent
  }

  /** So many more bytes were transferred. */
  add(bytes: number): void {
    this.bytes += bytes
    if (this.rate.age >= INTERVAL_MS || this.bytes === this.total) this.tell()
  }

  /** A blob of this size is at the destination already. */
  skip(size: number): void {
    this.total -= size
  }

  private tell(): void {
    const { bytes, total } = this
    this.onEvent({ type: 'transfer', bytes, total, bytesPerSecond: this.rate.count(bytes) })
  }
}

export function sizeOf(blobs: readonly { descriptor: { size: number } }[]): number {
  return blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
}
