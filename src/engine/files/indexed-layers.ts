/** The layers of an image that have indexes, or get them when they are needed. */
import { diffIdMismatch } from '../../store/blob-errors.ts'
import { openParts, type BlobParts } from '../../store/blob.ts'
import { assertAbout } from '../../random-access/index-file.ts'
import { withFacts } from '../../errors.ts'
import { handlePath } from '../../sys/handle-path.ts'
import { openRegularFile } from '../../sys/open-regular.ts'
import type { Descriptor } from '../../image/types.ts'
import type { ImageJob } from '../extract/job.ts'
import { layerName } from '../extract/layer-tasks.ts'
import type { IndexDirectory } from './index-directory.ts'
import { withLayerReader, type LayerIndex, type LayerReader } from './layer-reader.ts'
import { OpenIndex } from './open-index.ts'
import { SpanReader } from './span-reader.ts'
import { withoutProgress } from './spool-bodies.ts'

export class IndexedLayers {
  private readonly job: ImageJob
  private directory: IndexDirectory
  private readonly open = new Map<number, OpenIndex>()

  constructor(job: ImageJob, directory: IndexDirectory) {
    this.job = job
    this.directory = directory
  }

  /** The entries of a layer. @param reader reads the whole layer if it has no index yet */
  async entries(layer: number, reader: LayerReader): Promise<LayerIndex> {
    return (await this.index(layer, reader)).entries()
  }

  /** @throws INDEX_INVALID, and what reading the layer throws */
  async index(layer: number, reader: LayerReader): Promise<OpenIndex> {
    const known = this.open.get(layer)
    if (known !== undefined) return known
    const index = this.find(layer) ?? (await this.make(layer, reader))
    this.open.set(layer, index)
    return index
  }

  /** Whether there is an index that can be used. @throws INDEX_INVALID */
  has(layer: number): boolean {
    const index = this.open.get(layer) ?? this.find(layer)
    if (index !== undefined) this.open.set(layer, index)
    return index !== undefined
  }

  /** Reads the tar of a layer. */
  spans(layer: number, index: OpenIndex): SpanReader {
    return new SpanReader(index, this.parts(layer), this.descriptor(layer).size)
  }

  private parts(layer: number): BlobParts {
    const { source } = this.job
    const descriptor = this.descriptor(layer)
    if (source.blobPart === undefined || isEmbedded(descriptor))
      return openParts(source.blobSource(descriptor))
    return {
      read: (offset, length) => source.blobPart!(descriptor, offset, length),
      close: () => undefined
    }
  }

  close(): void {
    for (const index of this.open.values()) index.close()
    this.open.clear()
  }

  private find(layer: number): OpenIndex | undefined {
    const { digest } = this.descriptor(layer)
    const file = this.directory.open(digest)
    if (file === undefined) return undefined
    const index = OpenIndex.open(file, this.directory.pathOf(digest))
    if (index === undefined) return undefined
    try {
      this.assertOf(layer, index)
      return index
    } catch (error) {
      index.close()
      throw withFacts(error, { layer: layerName(layer, this.descriptor(layer)) })
    }
  }

  private async make(layer: number, reader: LayerReader): Promise<OpenIndex> {
    const tried = this.directory
    try {
      return await this.makeHere(layer, reader)
    } catch (error) {
      // another layer may have found out at the same time
      const other = this.directory === tried ? tried.instead(error) : this.directory
      if (other === undefined) throw error
      this.directory = other
    }
    const again = withoutProgress(this.job)
    return withLayerReader(again, (another) => this.makeHere(layer, another))
  }

  private async makeHere(layer: number, reader: LayerReader): Promise<OpenIndex> {
    const { digest } = this.descriptor(layer)
    const file = this.directory.create(digest)
    try {
      await reader.makeIndex(layer, file.fd)
      const made = openRegularFile(handlePath(file.fd), 'followed')!
      const index = OpenIndex.open(made, this.directory.pathOf(digest))!
      file.publish()
      return index
    } finally {
      file.discard()
    }
  }

  private assertOf(layer: number, { tail, path }: OpenIndex): void {
    const expected = this.job.image.config.rootfs.diff_ids[layer]!
    assertAbout(tail, this.descriptor(layer).digest, path)
    if (tail.diffId !== expected) throw diffIdMismatch(expected, tail.diffId)
  }

  private descriptor(layer: number): Descriptor {
    return this.job.image.manifest.layers[layer]!
  }
}

function isEmbedded({ data }: Descriptor): boolean {
  return data !== undefined && data !== ''
}
