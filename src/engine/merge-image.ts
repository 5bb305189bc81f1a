/** All layers of an image at once, into one merged tree. */
import type { LayerStack } from '../plan/layer-stack.ts'
import { makeDirectory } from '../sys/names.ts'
import { layerStaging, type Ground } from './ground.ts'
import type { Job } from './job.ts'
import { joinLayers } from './join-layers.ts'
import { layerName, stageLayerTask } from './layer-tasks.ts'
import { OrderedLayers } from './ordered-layers.ts'
import { stageLayers } from './stage-layers.ts'
import { undescribedDirectory } from './undescribed.ts'

export interface MergeOptions {
  ground: Ground
  /** Where in the ground the tree is to be: a name, or `''` for the ground itself. */
  name: string
  /** Hash every file for the manifest. */
  digests: boolean
}

/** Nothing outside the staging changes until all layers are verified. */
export async function mergeImage(
  job: Job,
  stack: LayerStack,
  { ground, name, digests }: MergeOptions
): Promise<void> {
  const { image, settings } = job
  const { layers } = image.manifest
  const undescribed = undescribedDirectory(settings.policy)
  makeDirectory(ground.fd, ground.staging, PRIVATE_MODE)
  const tasks = layers.map((_, layer) => {
    makeDirectory(ground.fd, layerStaging(ground, layer), PRIVATE_MODE)
    const staging = `${ground.path}/${layerStaging(ground, layer)}`
    return stageLayerTask(job, layer, { staging, digests })
  })
  const turns = new OrderedLayers(
    layers.map((descriptor, layer) => layerName(layer, descriptor)),
    (layer) => {
      const folder = stack.layer(layer, layerStaging(ground, layer))
      return { add: (entry) => folder.add(entry), end: () => undefined }
    }
  )
  await stageLayers(tasks, layers.length, turns, settings)
  settings.onEvent({ type: 'phase', phase: 'join' })
  joinLayers(ground, stack, name, undescribed, settings.onEvent)
}

const PRIVATE_MODE = 0o700
