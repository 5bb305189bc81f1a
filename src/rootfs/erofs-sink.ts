/** The sink that makes the EROFS image of one layer: bodies as they come, everything else once the layer is verified. */
import type { ByteString } from '../bytes.ts'
import { BodyPlaces, byteOffset, type Body } from '../erofs/bodies.ts'
import { LayerTree } from '../erofs/layer-tree.ts'
import { layerImage } from '../erofs/write-image.ts'
import { inOverlay } from '../plan/policy/layer-policy.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { close, createFile } from '../sys/files.ts'
import type { Extents } from '../tar/sparse.ts'
import { BodyWriter } from './body-writer.ts'
import type { LayerSink } from './layer-sink.ts'
import { IMAGE_MODE, writeImage } from './write-erofs.ts'

export interface NewErofsImage {
  /** Descriptor of a private directory; all threads of the process share it. */
  directory: number
  /** Of the new image. */
  name: string
  /** 16 bytes. */
  uuid: Uint8Array
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
  /** Hard links that it lacks, because their files are in layers below. */
  linksElsewhere: readonly ByteString[]
}

export class ErofsSink implements LayerSink {
  private readonly description: NewErofsImage
  private readonly layer = new LayerTree()
  private readonly places = new BodyPlaces()
  private readonly writer = new BodyWriter()
  private readonly fd: number
  private body: Body | undefined

  constructor(description: NewErofsImage) {
    this.description = description
    this.fd = createFile(description.directory, description.name, IMAGE_MODE)
    this.writer.begin(this.fd, 0)
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
      this.writer.write(chunk, start, end, byteOffset(this.body, position))
  }

  end(): void {
    this.body = undefined
  }

  /** To be called when the layer is verified. */
  finish(): ErofsLayer {
    const image = layerImage(this.layer.finish(), this.places.end, this.description.uuid)
    writeImage(this.fd, image)
    return { blocks: image.blocks, linksElsewhere: this.layer.linksElsewhere }
  }

  close(): void {
    close(this.fd)
  }
}
