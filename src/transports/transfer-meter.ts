/** Counts what goes over the network for one image, and tells about it at most ten times a second. */
import type { WriterEvent } from './transport.ts'

const INTERVAL_MS = 100
/** The rate is that of so much time. */
const WINDOW_MS = 3000

export class TransferMeter {
  private readonly onEvent: (event: WriterEvent) => void
  private bytes = 0
  private total: number
  /** Told at most so long ago, oldest first. */
  private told: { at: number; bytes: number }[]

  /** @param total bytes of all blobs that may have to be transferred */
  constructor(total: number, onEvent: (event: WriterEvent) => void) {
    this.total = total
    this.onEvent = onEvent
    this.told = [{ at: Date.now(), bytes: 0 }]
  }

  /** So many more bytes were transferred. */
  add(bytes: number): void {
    this.bytes += bytes
    if (Date.now() - this.told.at(-1)!.at >= INTERVAL_MS || this.bytes === this.total) this.tell()
  }

  /** A blob of this size is at the destination already. */
  skip(size: number): void {
    this.total -= size
  }

  private tell(): void {
    const { bytes, total } = this
    const at = Date.now()
    this.told = [...this.told.filter((it) => at - it.at <= WINDOW_MS), { at, bytes }]
    const [first] = this.told
    const seconds = Math.max(at - first!.at, 1) / 1000
    const bytesPerSecond = Math.round((bytes - first!.bytes) / seconds)
    this.onEvent({ type: 'transfer', bytes, total, bytesPerSecond })
  }
}

export function sizeOf(blobs: readonly { descriptor: { size: number } }[]): number {
  return blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
}
