/** Layers of an image, read at once, into one merged tree. */
import type { LayerStack } from '../plan/layer-stack.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { makeDirectory } from '../sys/names.ts'
import { layerStaging, type Ground } from './ground.ts'
import type { Job } from './job.ts'
import { joinLayers } from './join-layers.ts'
import { layerName, stageLayerTask, type LayerTar } from './layer-tasks.ts'
import { OrderedLayers, type LayerTurn } from './ordered-layers.ts'
import { stageLayers } from './stage-layers.ts'
import { undescribedDirectory } from './undescribed.ts'

export interface MergeOptions {
  ground: Ground
  /** Where in the ground the tree is to be: a name, or `''` for the ground itself. */
  name: string
  /** Hash every file for the manifest. */
  digests: boolean
  /** Only this layer, on top of what the stack holds already. */
  only?: OneLayer
}

export interface OneLayer {
  layer: number
  /** Where its tar is, if it was decompressed and verified already. */
  tar: LayerTar | undefined
  /** Sees every entry as it is folded. */
  onEntry: (entry: StagedEntry) => void
}

/** Nothing outside the staging changes until all layers are verified. */
export async function mergeImage(
  job: Job,
  stack: LayerStack,
  { ground, name, digests, only }: MergeOptions
): Promise<void> {
  const { image, settings } = job
  const { layers } = image.manifest
  const wanted = only === undefined ? [...layers.keys()] : [only.layer]
  makeDirectory(ground.fd, ground.staging, PRIVATE_MODE)
  const tasks = wanted.map((layer) => {
    makeDirectory(ground.fd, layerStaging(ground, layer), PRIVATE_MODE)
    const staging = { directory: ground.fd, path: layerStaging(ground, layer) }
    return stageLayerTask(job, layer, { staging, digests, tar: only?.tar })
  })
  const names = layers.map((descriptor, layer) => layerName(layer, descriptor))
  const turns = new OrderedLayers(names, (layer) => turn(stack, ground, layer, only))
  for (const layer of layers.keys()) if (!wanted.includes(layer)) turns.complete(layer)
  await stageLayers(tasks, layers.length, turns, settings)
  settings.onEvent({ type: 'phase', phase: 'join' })
  joinLayers(ground, stack, name, undescribedDirectory(settings.policy), settings.onEvent)
}

const PRIVATE_MODE = 0o700

function turn(
  stack: LayerStack,
  ground: Ground,
  layer: number,
  only: OneLayer | undefined
): LayerTurn {
  if (only !== undefined && only.layer !== layer) return NOTHING
  const folder = stack.layer(layer, layerStaging(ground, layer))
  return {
    add(entry) {
      folder.add(entry)
      only?.onEntry(entry)
    },
    end: () => undefined
  }
}

const NOTHING: LayerTurn = { add: () => undefined, end: () => undefined }
