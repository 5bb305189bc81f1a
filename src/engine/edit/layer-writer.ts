/** A new layer on its way into a layout: tar bytes in; hashed, compressed on all cores, hashed again, stored. */
import { createHash } from 'node:crypto'
import { createCompressor } from '../../codec/compress.ts'
import type { Compressor } from '../../codec/compressor.ts'
import type { Compression } from '../../image/media-types.ts'
import { finishDigest, type Digest } from '../../image/digest.ts'
import { layerMediaType } from '../../image/media-types.ts'
import { layerDescriptor } from '../../image/rewrite.ts'
import type { Descriptor } from '../../image/types.ts'
import { createBlob, type BlobWriter } from '../../store/write.ts'
import type { Workspace } from '../../store/layout-workspace.ts'
import { heedSignals } from '../operation/abort.ts'

export interface LayerWriterOptions {
  compression: Compression
  level: number | undefined
  threads: number
  /** Media type of the image's manifest: a Docker image gets Docker layers. */
  manifestType: string
  signal: AbortSignal | undefined
}

export interface StoredLayer {
  descriptor: Descriptor
  diffId: Digest
  /** Bytes of tar. */
  uncompressedSize: number
}

/** Small headers are gathered, so that the compressor gets few large pieces. */
const GATHERED_BYTES = 1024 * 1024

/** The caller must call `finish` or `discard`; `discard` after `finish` does no harm. */
export class LayerWriter {
  private readonly options: LayerWriterOptions
  private readonly blob: BlobWriter
  private readonly compressor: Compressor
  private readonly hash = createHash('sha256')
  private readonly gathered = Buffer.allocUnsafeSlow(GATHERED_BYTES)
  private filled = 0
  private written = 0

  constructor(workspace: Workspace, options: LayerWriterOptions) {
    const { compression, level, threads } = options
    this.options = options
    this.blob = createBlob(workspace)
    this.compressor = createCompressor(compression, { level, threads }, (bytes) =>
      this.blob.write(bytes)
    )
  }

  /** Takes a copy of the bytes. @throws ABORTED, SYSCALL_FAILED, COMPRESSOR_FAILED */
  async write(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const taken = bytes.copy(this.gathered, this.filled, from)
      this.filled += taken
      from += taken
      if (this.filled === this.gathered.length) await this.flush()
    }
  }

  async zeros(count: number): Promise<void> {
    if (count > 0) await this.write(Buffer.alloc(count))
  }

  /** Completes the layer, which is then durably in the layout. */
  async finish(): Promise<StoredLayer> {
    await this.flush()
    await this.compressor.end()
    const mediaType = layerMediaType(this.options.compression, this.options.manifestType)
    return {
      descriptor: layerDescriptor(mediaType, this.blob.finish(), this.written),
      diffId: finishDigest(this.hash, 'sha256'),
      uncompressedSize: this.written
    }
  }

  async discard(): Promise<void> {
    await this.compressor.stop()
    this.blob.discard()
  }

  private async flush(): Promise<void> {
    await heedSignals(this.options.signal)
    const bytes = this.gathered.subarray(0, this.filled)
    this.hash.update(bytes)
    await this.compressor.write(bytes)
    this.written += this.filled
    this.filled = 0
  }
}
