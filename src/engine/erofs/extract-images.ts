/** Extracts each layer as an EROFS image, and joins them by one more image. */
import { basename, dirname } from 'node:path'
import { MergedImageTree } from '../../erofs/merged-tree.ts'
import { mergedImage, type ImageParts } from '../../erofs/write-image.ts'
import { fromText } from '../../bytes.ts'
import { withFacts } from '../../errors.ts'
import { chainIds } from '../../image/digest.ts'
import { inOverlay } from '../../plan/policy/layer-policy.ts'
import type { Directory } from '../../plan/tree.ts'
import { writeImage } from '../../rootfs/write-erofs.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { hashesFiles } from '../../worker/hashes-files.ts'
import type { ReadLayerTask } from '../../worker/read-layer.ts'
import type { Job } from '../extract/job.ts'
import {
  imageOf,
  type Extraction,
  type LayerIndexes,
  type LayerPlaces
} from '../extract/layer-places.ts'
import { layerName, readLayerTask } from '../extract/layer-tasks.ts'
import type { OrderedLayers } from '../extract/ordered-layers.ts'
import { biggestFirst, stageLayers, type LayerEntries } from '../extract/stage-layers.ts'
import { Sequence } from '../extract/take-turns.ts'
import { heedSignals } from '../operation/abort.ts'
import { leftoverTo } from '../operation/leftover.ts'
import { publishFile } from '../place/replace-file.ts'
import { joinedUuid, layerUuid } from './image-uuid.ts'
import { deviceTag, layerBlocks } from './joined-images.ts'
import { mergedTurns } from './merged-turns.ts'

/**
 * Writes the missing layers, and the image that joins all of them. Layers that exist are read again if it is not known
 * what is in them: an image does not say all that a layer means for those below it.
 * @returns the merged tree, if the digests of all files are known or not needed
 */
export async function extractImages(
  job: Job,
  missing: readonly number[],
  places: LayerPlaces,
  { merged, indexes }: Extract<Extraction, { kind: 'image' }>
): Promise<Directory | undefined> {
  const extraction = new ImageExtraction(job, places, indexes)
  try {
    await extraction.prepare(missing)
    await extraction.run()
    await heedSignals(job.settings.signal)
    extraction.join(merged())
    return extraction.tree
  } finally {
    extraction.close()
  }
}

/** The file that an image is written to. */
interface NewFile {
  /** Descriptor. */
  directory: number
  name: string
}

class ImageExtraction {
  private readonly job: Job
  private readonly places: LayerPlaces
  private readonly indexes: LayerIndexes
  private readonly merged: MergedImageTree
  private readonly names: readonly string[]
  /** By layer, only those that are missing. */
  private readonly files = new Map<number, NewFile>()
  private readonly sequence = new Sequence()
  private hasDigests = true

  constructor(job: Job, places: LayerPlaces, indexes: LayerIndexes) {
    const { layers } = job.image.manifest
    this.job = job
    this.places = places
    this.indexes = indexes
    this.names = layers.map((descriptor, layer) => layerName(layer, descriptor))
    this.merged = new MergedImageTree(layers.length, {
      keepDirlinks: false,
      keepEntries: true,
      form: inOverlay
    })
  }

  async prepare(missing: readonly number[]): Promise<void> {
    for (const layer of missing) {
      const path = imageOf(await this.places.stage(layer))
      const directory = openOperatorDirectory(fromText(dirname(path)))
      this.files.set(layer, { directory, name: fromText(basename(path)) })
    }
  }

  async run(): Promise<void> {
    const { names, merged, sequence } = this
    const { settings } = this.job
    const turns = mergedTurns(merged, names)
    const read = new ReadEntries(turns)
    const tasks = biggestFirst(this.unknownTo(turns).map((layer) => this.task(layer)))
    const { signal } = sequence
    await sequence.during(settings.signal, () =>
      stageLayers(tasks, names.length, read, { ...settings, signal }, ({ layer, sink }) => {
        const hasDigests = hashesFiles(sink)
        this.indexes.keep(layer, { entries: read.take(layer), hasDigests })
        this.hasDigests &&= hasDigests
        if (this.files.has(layer)) sequence.add(() => this.commit(layer))
      })
    )
  }

  get tree(): Directory | undefined {
    return this.hasDigests || this.job.settings.isLazy ? this.merged.root : undefined
  }

  /** All layers are committed. The same image gives the same bytes. */
  join(merged: string): void {
    const { onEvent } = this.job.settings
    onEvent({ type: 'phase', phase: 'join' })
    const image = this.joined()
    publishFile(merged, (fd) => writeImage(fd, image), leftoverTo(onEvent))
  }

  close(): void {
    for (const { directory } of this.files.values()) close(directory)
  }

  /** Layers that have to be read. The entries of the others are added. */
  private unknownTo(turns: OrderedLayers): number[] {
    const unknown: number[] = []
    for (const layer of this.names.keys()) {
      const index = this.files.has(layer) ? undefined : this.indexes.fetch(layer)
      if (index === undefined) unknown.push(layer)
      else {
        for (const batch of index.entries) turns.add(layer, batch)
        turns.complete(layer)
        this.hasDigests &&= index.hasDigests
      }
    }
    return unknown
  }

  private task(layer: number): ReadLayerTask {
    const file = this.files.get(layer)
    if (file === undefined) return readLayerTask(this.job, layer, { kind: 'index' })
    return readLayerTask(this.job, layer, {
      kind: 'erofs',
      ...file,
      uuid: layerUuid(this.diffIds[layer]!),
      isThere: false,
      digests: !this.job.settings.isLazy
    })
  }

  private async commit(layer: number): Promise<void> {
    try {
      await this.places.commit(layer)
    } catch (error) {
      throw withFacts(error, { layer: this.names[layer]! })
    }
  }

  private joined(): ImageParts {
    const { merged, places, diffIds } = this
    const devices = diffIds.map((diffId, layer) => ({
      blocks: layerBlocks({ path: imageOf(places.committed(layer)), diffId })
    }))
    const uuid = joinedUuid(chainIds(diffIds).at(-1)!)
    const parts = mergedImage(merged.finish(), { devices, form: 'devices', uuid })
    return { ...parts, header: parts.header(diffIds.map(deviceTag)) }
  }

  private get diffIds(): Job['image']['config']['rootfs']['diff_ids'] {
    return this.job.image.config.rootfs.diff_ids
  }
}

/** Remembers the entries of each layer while they are passed on. */
class ReadEntries implements LayerEntries {
  private readonly next: LayerEntries
  private readonly read = new Map<number, Uint8Array[]>()

  constructor(next: LayerEntries) {
    this.next = next
  }

  add(layer: number, batch: Uint8Array): void {
    const batches = this.read.get(layer)
    if (batches === undefined) this.read.set(layer, [batch])
    else batches.push(batch)
    this.next.add(layer, batch)
  }

  complete(layer: number): void {
    this.next.complete(layer)
  }

  /** Once for each layer. */
  take(layer: number): readonly Uint8Array[] {
    const batches = this.read.get(layer) ?? []
    this.read.delete(layer)
    return batches
  }
}
