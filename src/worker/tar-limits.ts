/** The stage that counts the bytes of a layer's tar and enforces the limits on images. */
import type { ByteStage } from './byte-stage.ts'
import type { Control } from './control.ts'
import { checkLimit } from './limit.ts'

export interface TarSizeLimits {
  /** Over all layers of the image. */
  unpackedBytes: number
  /** Bytes of tar for each compressed byte of a single layer. */
  ratio: number
}

/** Below this many bytes of tar, the ratio is not checked, since it is not meaningful. */
const RATIO_FLOOR = 64 * 1024 * 1024

export class TarSizeCheck implements ByteStage {
  private readonly control: Control
  private readonly layer: number
  private readonly compressed: number
  private readonly limits: TarSizeLimits

  /** @param compressed bytes of the blob */
  constructor(control: Control, layer: number, compressed: number, limits: TarSizeLimits) {
    this.control = control
    this.layer = layer
    this.compressed = compressed
    this.limits = limits
  }

  /** @throws LIMIT_EXCEEDED, ABORTED */
  push(chunk: Buffer): void {
    const { control, layer, limits } = this
    control.throwIfAborted()
    control.addUnpacked(layer, chunk.length)
    checkLimit('unpacked bytes', control.unpacked, limits.unpackedBytes)
    const { unpacked } = control.layer(layer)
    if (unpacked > RATIO_FLOOR)
      checkLimit('ratio of unpacked to compressed bytes', unpacked / this.compressed, limits.ratio)
  }

  finish(): void {
    // `push` has already checked the limits
  }
}
