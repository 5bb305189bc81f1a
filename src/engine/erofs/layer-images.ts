/** One pass over all layers: the EROFS image of each, and the tree that they are together. */
import { display } from '../../bytes.ts'
import type { LayerBodies } from '../../erofs/layer-bodies.ts'
import type { Digest } from '../../image/digest.ts'
import type { Directory } from '../../plan/tree.ts'
import type { ErofsLayerResult } from '../../worker/erofs-layer.ts'
import type { ImageJob } from '../extract/job.ts'
import { entriesTask, layerName, readLayerTask } from '../extract/layer-tasks.ts'
import { OrderedLayers } from '../extract/ordered-layers.ts'
import { biggestFirst, stageLayers, type LayerTask } from '../extract/stage-layers.ts'
import type { EngineEvent } from '../operation/events.ts'
import { layerUuid } from './image-uuid.ts'
import { MergedView } from './merged-view.ts'

export interface LayerImage {
  diffId: Digest
  /** Name of the file. Layers with the same diff ID share it. */
  name: string
  /** In blocks of 4096 bytes. */
  blocks: number
  /** SHA-256 of the file, in hex. */
  sha256: string
}

export interface LayerImages {
  /** Bottom first. */
  layers: readonly LayerImage[]
  /** Where each has the bodies of its files. */
  bodies: readonly LayerBodies[]
  root: Directory
}

/**
 * Writes the image of each layer into a private directory. Nothing may be trusted before this returns.
 * @throws the first failure, with its layer; ABORTED
 */
export async function makeLayerImages(job: ImageJob, directory: number): Promise<LayerImages> {
  const { image, settings } = job
  const diffIds = image.config.rootfs.diff_ids
  const view = new MergedView(diffIds.length, settings.keepDirlinks)
  const names = image.manifest.layers.map((descriptor, layer) => layerName(layer, descriptor))
  const turns = new OrderedLayers(names, (layer) => view.turn(layer))
  const made = new Map<Digest, ErofsLayerResult>()
  await stageLayers(
    biggestFirst(tasks(job, directory)),
    names.length,
    turns,
    settings,
    (task, result) => {
      if (result === undefined) return
      made.set(task.diffId, result)
      for (const event of leftOut(names[task.layer]!, result)) settings.onEvent(event)
    }
  )
  const layers = diffIds.map((diffId) => ({
    diffId,
    name: imageName(diffId),
    ...made.get(diffId)!
  }))
  return { layers, bodies: view.bodies, root: view.root }
}

/** A layer that comes twice gets one image, but its entries count twice. */
function tasks(job: ImageJob, directory: number): LayerTask[] {
  const diffIds = job.image.config.rootfs.diff_ids
  return diffIds.map((diffId, layer) =>
    diffIds.indexOf(diffId) === layer
      ? {
          ...entriesTask(job, layer),
          type: 'erofs-layer',
          image: { directory, name: imageName(diffId), uuid: layerUuid(diffId) }
        }
      : readLayerTask(job, layer, { kind: 'index' })
  )
}

function imageName(diffId: Digest): string {
  return `${diffId.replace(':', '-')}.erofs`
}

function leftOut(layer: string, { linksElsewhere }: ErofsLayerResult): EngineEvent[] {
  return linksElsewhere.map((path) => ({
    type: 'warning',
    message:
      'The EROFS image of a layer lacks a hard link whose file is in a layer below. The merged image has it.',
    facts: { layer, entry: display(path) }
  }))
}
