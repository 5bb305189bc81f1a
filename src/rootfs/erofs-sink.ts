/** The sink that makes the EROFS image of one layer: bodies as they come, everything else once the layer is verified. */
import type { ByteString } from '../bytes.ts'
import { BodyPlaces, byteOffset, type Body } from '../erofs/bodies.ts'
import { BLOCK } from '../erofs/format.ts'
import { LayerTree } from '../erofs/layer-tree.ts'
import { layerImage } from '../erofs/write-image.ts'
import { inOverlay } from '../plan/policy/layer-policy.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Extents } from '../tar/sparse.ts'
import { KnownImage } from './known-image.ts'
import type { LayerSink } from './layer-sink.ts'
import { NewImage, writeMetadata, type ImageOutput } from './write-erofs.ts'

export interface NewErofsImage {
  /** Descriptor of a private directory; all threads of the process share it. */
  directory: number
  name: string
  /** 16 bytes. */
  uuid: Uint8Array
  /** Whether there is a file of this name, which is probably this image. Whatever it is, it becomes this image. */
  isThere: boolean
}

/** For a task that needs nothing but the image. */
export interface ErofsDescription extends NewErofsImage {
  kind: 'erofs'
  /** Have every file hashed, for the tree manifest. */
  digests: boolean
}

export interface ErofsLayer {
  /** The length of the image, in blocks of 4096 bytes. */
  blocks: number
  /** Whether the file that was there is this image, to the last byte. */
  wasThere: boolean
  /** Hard links that it lacks, because their files are in layers below. */
  linksElsewhere: readonly ByteString[]
}

export class ErofsSink implements LayerSink {
  private readonly description: NewErofsImage
  private readonly layer = new LayerTree()
  private readonly places = new BodyPlaces()
  private readonly output: ImageOutput
  private body: Body | undefined

  constructor(description: NewErofsImage) {
    const { directory, name, isThere } = description
    this.description = description
    this.output = isThere ? new KnownImage(directory, name) : NewImage.make(directory, name)
  }

  get hashesFile(): boolean {
    return this.body !== undefined
  }

  /** Records where the body begins in the tar; its place in the image follows from the order of all bodies. */
  entry(entry: StagedEntry, body: number, extents: Extents | undefined): void {
    entry.body = body
    if (extents !== undefined) entry.extents = extents
    this.body = entry.type === 'file' ? this.places.place(entry.size, extents) : undefined
    this.layer.add(inOverlay(entry), this.body)
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.body !== undefined)
      this.output.write(chunk, start, end, byteOffset(this.body, position))
  }

  end(): void {
    this.body = undefined
  }

  /** To be called when the layer is verified. */
  finish(): ErofsLayer {
    const image = layerImage(this.layer.finish(), this.places.end, this.description.uuid)
    writeMetadata(this.output, image)
    const wasThere = this.output.finish(image.header, image.blocks * BLOCK)
    return { blocks: image.blocks, wasThere, linksElsewhere: this.layer.linksElsewhere }
  }

  close(): void {
    this.output.close()
  }
}
