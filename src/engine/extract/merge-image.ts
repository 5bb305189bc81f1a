/** Reads the layers of an image at the same time into one merged tree. */
import type { Descriptor } from '../../image/types.ts'
import { maskMemory } from '../../plan/masked-paths.ts'
import type { LayerStack } from '../../plan/layer-stack.ts'
import type { StagedEntry } from '../../plan/staged-entry.ts'
import type { Skips } from '../../rootfs/skips.ts'
import { makeDirectory } from '../../sys/names.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { layerStaging, type PlanRoot } from './plan-root.ts'
import type { Job } from './job.ts'
import { joinLayers } from './join-layers.ts'
import { metadataRules } from './metadata-rules.ts'
import { layerName, stageLayerTask, type LayerTar } from './layer-tasks.ts'
import { readAgain } from './read-again.ts'
import { OrderedLayers, type LayerTurn } from './ordered-layers.ts'
import { stageLayers } from './stage-layers.ts'

export interface MergeOptions {
  planRoot: PlanRoot
  /** Where the tree will be in the plan root: a name, or `''` for the plan root itself. */
  name: string
  /** Hash every file for the tree manifest. */
  digests: boolean
  /** Only this layer, on top of what is already in the stack. */
  only?: OneLayer
}

export interface OneLayer {
  layer: number
  /** Where its tar is, if it was already decompressed and verified. */
  tar: LayerTar | undefined
  /** Called for every entry as it is folded. */
  onEntry: (entry: StagedEntry) => void
}

/** Nothing outside the staging changes until all layers are verified. */
export async function mergeImage(
  job: Job,
  stack: LayerStack,
  { planRoot, name, digests, only }: MergeOptions
): Promise<void> {
  const { image, settings } = job
  const { layers } = image.manifest
  const wanted = only === undefined ? [...layers.keys()] : [only.layer]
  makeDirectory(planRoot.fd, planRoot.staging, PRIVATE_MODE)
  const skips = only === undefined ? masking(layers) : undefined
  // From the top down, so that much of what layers above replace is known when a layer is read.
  const tasks = wanted.toReversed().map((layer) => {
    makeDirectory(planRoot.fd, layerStaging(planRoot, layer), PRIVATE_MODE)
    const staging = { directory: planRoot.fd, path: layerStaging(planRoot, layer) }
    return stageLayerTask(job, layer, { staging, digests, tar: only?.tar, skips: skips?.(layer) })
  })
  const names = layers.map((descriptor, layer) => layerName(layer, descriptor))
  const turns = new OrderedLayers(names, (layer) => turn(stack, planRoot, layer, only))
  for (const layer of layers.keys()) if (!wanted.includes(layer)) turns.complete(layer)
  await stageLayers(tasks, layers.length, turns, settings)
  await readAgain(job, stack, planRoot, digests)
  settings.onEvent({ type: 'phase', phase: 'join' })
  joinLayers(planRoot, stack, name, metadataRules(settings.policy), settings.onEvent)
}

/** Files that are replaced or deleted in layers above need not be written. */
function masking(layers: readonly Descriptor[]): ((layer: number) => Skips) | undefined {
  if (layers.length < 2) return undefined
  const memory = maskMemory(layers.reduce((sum, { size }) => sum + size, 0))
  return (layer) => ({ kind: 'masked', memory, layer })
}

function turn(
  stack: LayerStack,
  planRoot: PlanRoot,
  layer: number,
  only: OneLayer | undefined
): LayerTurn {
  if (only !== undefined && only.layer !== layer) return NOTHING
  const folder = stack.layer(layer, layerStaging(planRoot, layer))
  return {
    add(entry) {
      folder.add(entry)
      only?.onEntry(entry)
    },
    end: () => undefined
  }
}

const NOTHING: LayerTurn = { add: () => undefined, end: () => undefined }
