/** A new layer on its way into a layout: tar bytes in; hashed, compressed on all cores, hashed again, stored. */
import { createHash } from 'node:crypto'
import { createCompressor } from '../../codec/compress.ts'
import type { Compressor } from '../../codec/compressor.ts'
import { Gathered } from '../../codec/gathered.ts'
import { finishDigest, type Digest } from '../../image/digest.ts'
import { layerMediaType } from '../../image/media-types.ts'
import { layerDescriptor } from '../../image/rewrite.ts'
import type { Descriptor } from '../../image/types.ts'
import { createBlob, type BlobWriter } from '../../store/write.ts'
import type { Workspace } from '../../store/layout-workspace.ts'
import { heedSignals } from '../operation/abort.ts'
import type { Packing } from './packing.ts'

/** A layer that an image is to get. */
export interface NewLayer {
  packing: Packing
  /** Writes its tar archive. */
  write: WriteLayer
}

export type WriteLayer = (writer: LayerWriter) => Promise<void>

export interface StoredLayer {
  descriptor: Descriptor
  diffId: Digest
  /** Bytes of tar. */
  uncompressedSize: number
}

/** Writes a layer, which is in the layout, durably, when this settles; where it throws nothing of it is. */
export async function storeLayer(
  workspace: Workspace,
  { packing, write }: NewLayer
): Promise<StoredLayer> {
  const writer = new LayerWriter(workspace, packing)
  try {
    await write(writer)
    return await writer.finish()
  } finally {
    await writer.discard()
  }
}

/** Whoever makes one calls `finish` or `discard`; `discard` after `finish` does no harm. */
export class LayerWriter {
  private readonly packing: Packing
  private readonly blob: BlobWriter
  private readonly compressor: Compressor
  private readonly hash = createHash('sha256')
  private readonly gathered = new Gathered((bytes) => this.take(bytes))
  private written = 0

  constructor(workspace: Workspace, packing: Packing) {
    const { compression, level, threads } = packing
    this.packing = packing
    this.blob = createBlob(workspace)
    this.compressor = createCompressor(compression, { level, threads }, (bytes) =>
      this.blob.write(bytes)
    )
  }

  /** Takes a copy of the bytes. @throws ABORTED, SYSCALL_FAILED, COMPRESSOR_FAILED */
  async write(bytes: Buffer): Promise<void> {
    await this.gathered.write(bytes)
  }

  /** Memory for the next bytes, at least one, until anything is written. */
  room(): Buffer {
    return this.gathered.room()
  }

  /** Takes what is in the room now. @throws as `write` does */
  async filled(count: number): Promise<void> {
    await this.gathered.filled(count)
  }

  async zeros(count: number): Promise<void> {
    await this.gathered.zeros(count)
  }

  /** Completes the layer, which is then durably in the layout. */
  async finish(): Promise<StoredLayer> {
    await this.gathered.flush()
    await this.compressor.end()
    const mediaType = layerMediaType(this.packing.compression, this.packing.manifestType)
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

  private async take(bytes: Buffer): Promise<Buffer> {
    await heedSignals(this.packing.signal)
    this.hash.update(bytes)
    this.written += bytes.length
    return this.compressor.write(bytes)
  }
}
