/** Counts what a layer costs, and enforces the limits on images. */
import type { ByteStage } from './byte-stage.ts'
import type { Control } from './control.ts'
import { checkLimit } from './limit.ts'

export interface TarSizeLimits {
  /** Bytes of tar, and of holes that are hashed, over all layers of the image. */
  unpackedBytes: number
  /** The same bytes, for each compressed byte of a single layer. Undefined: what real layers need. */
  ratio: number | undefined
}

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** Below this many bytes, a given ratio is not checked, since it is not meaningful. */
const RATIO_FLOOR = 64 * MIB

/**
 * Without a given ratio. gzip cannot exceed 1032, and data that people store does not either; but zstd makes 4 bytes of
 * 128 KiB of zeros or of any repeated pattern, and a sparse file costs only its map. So what is cheap is let pass up to
 * a size that real layers have: zeros and holes, which are only hashed, up to a disk image of 128 GiB.
 */
const USUAL_RATIO = 1100
const DATA_FLOOR = 4 * GIB
const ZEROS_FLOOR = 128 * GIB

export class TarSizeCheck {
  private readonly control: Control
  private readonly layer: number
  private readonly compressed: number
  private readonly limits: TarSizeLimits
  private total = 0
  /** Those of `total` that are neither holes nor in chunks of zeros. */
  private data = 0

  /** @param compressed bytes of the blob */
  constructor(control: Control, layer: number, compressed: number, limits: TarSizeLimits) {
    this.control = control
    this.layer = layer
    this.compressed = compressed
    this.limits = limits
  }

  /** @throws LIMIT_EXCEEDED, ABORTED */
  push(chunk: Buffer): void {
    const { control, layer } = this
    control.throwIfAborted()
    control.addUnpacked(layer, chunk.length)
    this.total += chunk.length
    if (!isZeros(chunk)) this.data += chunk.length
    this.check()
  }

  /** Holes are about to be hashed, which are not in the tar. @throws LIMIT_EXCEEDED */
  addHoles(bytes: number): void {
    this.control.addHoles(bytes)
    this.total += bytes
    this.check()
  }

  private check(): void {
    const { control, limits, total, data } = this
    checkLimit('unpacked bytes', control.unpacked + control.holes, limits.unpackedBytes)
    if (limits.ratio !== undefined) this.checkRatio(total, RATIO_FLOOR, limits.ratio)
    else {
      this.checkRatio(data, DATA_FLOOR, USUAL_RATIO)
      this.checkRatio(total, ZEROS_FLOOR, USUAL_RATIO)
    }
  }

  private checkRatio(bytes: number, floor: number, ratio: number): void {
    if (bytes > floor) checkLimit('bytes per compressed byte', bytes / this.compressed, ratio)
  }
}

/** The consumer, which gets only what is within the limits. */
export function limited(size: TarSizeCheck, consumer: ByteStage): ByteStage {
  return {
    push(chunk) {
      size.push(chunk)
      consumer.push(chunk)
    },
    finish: () => consumer.finish()
  }
}

const ZEROS = Buffer.alloc(MIB)

/** The first and last byte decide most cases. A longer chunk than decoders make counts as data. */
function isZeros(chunk: Buffer): boolean {
  const { length } = chunk
  if (chunk[0] !== 0 || chunk[length - 1] !== 0 || length > MIB) return false
  return ZEROS.compare(chunk, 0, length, 0, length) === 0
}
