/** One pass over all layers: the EROFS image of each, and the tree that they are together. */
import { display } from '../../bytes.ts'
import { MergedImageTree } from '../../erofs/merged-tree.ts'
import type { ImageTree } from '../../erofs/image-tree.ts'
import type { Digest } from '../../image/digest.ts'
import type { ErofsLayer, NewErofsImage } from '../../rootfs/erofs-sink.ts'
import type { ImageJob } from '../extract/job.ts'
import { entriesTask, layerName, readLayerTask } from '../extract/layer-tasks.ts'
import { biggestFirst, stageLayers, type LayerTask } from '../extract/stage-layers.ts'
import type { ImageSettings } from '../extract/unpack-options.ts'
import { heedSignals } from '../operation/abort.ts'
import type { EngineEvent } from '../operation/events.ts'
import { layerUuid } from './image-uuid.ts'
import type { LayerCache } from './layer-cache.ts'
import { mergedTurns } from './merged-turns.ts'

export interface LayerImage {
  diffId: Digest
  /** Name of the file. Layers with the same diff ID share it. */
  name: string
  /** In blocks of 4096 bytes. */
  blocks: number
}

export interface LayerImages {
  /** Bottom first. */
  layers: readonly LayerImage[]
  /** What they are together. */
  merged: ImageTree
}

/**
 * Puts the image of each layer into a private directory. Nothing may be trusted before this returns.
 * @param cache has images that need not be written again, and keeps those that were
 * @throws the first failure, with its layer; ABORTED
 */
export async function makeLayerImages(
  job: ImageJob,
  directory: number,
  cache: LayerCache | undefined
): Promise<LayerImages> {
  const { image, settings } = job
  const diffIds = image.config.rootfs.diff_ids
  const { keepDirlinks } = settings
  const tree = new MergedImageTree(diffIds.length, { keepDirlinks, keepEntries: false })
  const names = image.manifest.layers.map((descriptor, layer) => layerName(layer, descriptor))
  const made = new Map<Digest, ErofsLayer>()
  await stageLayers(
    biggestFirst(tasks(job, directory, cache)),
    names.length,
    mergedTurns(tree, names),
    settings,
    (task, result) => {
      if (result === undefined) return
      made.set(task.diffId, result)
      for (const event of leftOut(names[task.layer]!, result)) settings.onEvent(event)
    }
  )
  if (cache !== undefined) await keepAll(cache, directory, made, settings)
  const layers = diffIds.map((diffId) => ({
    diffId,
    name: imageName(diffId),
    blocks: made.get(diffId)!.blocks
  }))
  return { layers, merged: tree.finish() }
}

/** An image that lacks a hard link is of no use without the layers below, which a cache knows nothing of. */
async function keepAll(
  cache: LayerCache,
  directory: number,
  made: ReadonlyMap<Digest, ErofsLayer>,
  { signal, onEvent }: ImageSettings
): Promise<void> {
  for (const [diffId, { wasThere, linksElsewhere }] of made) {
    await heedSignals(signal)
    if (wasThere) continue
    if (linksElsewhere.length === 0) cache.keep(diffId, { directory, name: imageName(diffId) })
    else onEvent(notKept(diffId))
  }
}

/** A layer that comes twice gets one image, but its entries count twice. */
function tasks(job: ImageJob, directory: number, cache: LayerCache | undefined): LayerTask[] {
  const diffIds = job.image.config.rootfs.diff_ids
  return diffIds.map((diffId, layer) =>
    diffIds.indexOf(diffId) === layer
      ? {
          ...entriesTask(job, layer),
          type: 'erofs-layer',
          image: imageOf(diffId, directory, cache)
        }
      : readLayerTask(job, layer, { kind: 'index' })
  )
}

function imageOf(diffId: Digest, directory: number, cache: LayerCache | undefined): NewErofsImage {
  const place = { directory, name: imageName(diffId) }
  const isThere = cache?.lend(diffId, place) ?? false
  return { ...place, uuid: layerUuid(diffId), isThere }
}

function imageName(diffId: Digest): string {
  return `${diffId.replace(':', '-')}.erofs`
}

function leftOut(layer: string, { linksElsewhere }: ErofsLayer): EngineEvent[] {
  return linksElsewhere.map((path) => ({
    type: 'warning',
    message:
      'The EROFS image of a layer lacks a hard link whose file is in a layer below. The merged image has it.',
    facts: { layer, entry: display(path) }
  }))
}

function notKept(diffId: Digest): EngineEvent {
  return {
    type: 'warning',
    message:
      'A layer is not put into the cache, because whoever mounts its image would miss hard links to files in layers below.',
    facts: { layer: diffId }
  }
}
