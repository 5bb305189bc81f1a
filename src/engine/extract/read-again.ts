/** Writes the files that were skipped because layers above seemed to replace them, but which are needed after all. */
import type { LayerStack } from '../../plan/layer-stack.ts'
import { neededFiles, supply, type NeededFiles } from '../../plan/skipped-files.ts'
import { STAGED_NOWHERE } from '../../plan/staged-entry.ts'
import { makeDirectory } from '../../sys/names.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import type { OnEvent } from '../operation/events.ts'
import type { Job } from './job.ts'
import { layerName, stageLayerTask } from './layer-tasks.ts'
import { OrderedLayers, type LayerTurn } from './ordered-layers.ts'
import { stagingAgain, type PlanRoot } from './plan-root.ts'
import { stageLayers } from './stage-layers.ts'

/** Reads their layers a second time, and verifies them again. The progress of all layers was complete before. */
export async function readAgain(
  job: Job,
  stack: LayerStack,
  planRoot: PlanRoot,
  digests: boolean
): Promise<void> {
  const needed = neededFiles(stack.root)
  if (needed.size === 0) return
  const { layers } = job.image.manifest
  const tasks = [...needed].map(([layer, files]) => {
    const staging = { directory: planRoot.fd, path: stagingAgain(planRoot, layer) }
    makeDirectory(staging.directory, staging.path, PRIVATE_MODE)
    const skips = { kind: 'all-but', bodies: new Set(files.keys()) } as const
    return stageLayerTask(job, layer, { staging, digests, skips })
  })
  const names = layers.map((descriptor, layer) => layerName(layer, descriptor))
  const turns = new OrderedLayers(names, (layer) =>
    turn(stack, needed.get(layer), stagingAgain(planRoot, layer))
  )
  for (const layer of layers.keys()) if (!needed.has(layer)) turns.complete(layer)
  const onEvent = lostXattrs(job.settings.onEvent)
  await stageLayers(tasks, layers.length, turns, { ...job.settings, onEvent })
}

function turn(stack: LayerStack, files: NeededFiles | undefined, staging: string): LayerTurn {
  return {
    add(entry) {
      if (entry.staged !== STAGED_NOWHERE) supply(stack, files!.get(entry.body!)!, entry, staging)
    },
    end: () => undefined
  }
}

/** What else there is to tell was told before. */
function lostXattrs(onEvent: OnEvent): OnEvent {
  return (event) => {
    if (event.type === 'warning' && event.facts.entry !== undefined) onEvent(event)
  }
}
