/** Reads many layers at the same time, from blobs to their sinks: a thread for each, the biggest first. */
import { display } from '../../bytes.ts'
import { uncompressedSizeHint } from '../../codec/size-hint.ts'
import { withFacts } from '../../errors.ts'
import type { Control } from '../../worker/control.ts'
import type { Pool } from '../../worker/pool.ts'
import type { ReadLayerTask } from '../../worker/read-layer.ts'
import { throwIfAborted } from '../operation/abort.ts'
import { lostXattr } from './join-layers.ts'
import { layerName } from './layer-tasks.ts'
import { warnOfOtherCompression, type OnOtherCompression } from './other-compression.ts'
import type { OrderedLayers } from './ordered-layers.ts'
import { reportProgress } from '../operation/progress.ts'
import { withThreads } from '../operation/threads.ts'
import type { UnpackSettings } from './unpack-options.ts'

export type StageSettings = Pick<UnpackSettings, 'jobs' | 'onEvent' | 'signal'>

/**
 * @param count of all layers of the image, whether read or not
 * @throws the first failure, with its layer; ABORTED when the signal fires
 */
export async function stageLayers(
  tasks: readonly ReadLayerTask[],
  count: number,
  layers: OrderedLayers,
  settings: StageSettings
): Promise<void> {
  const { jobs, onEvent, signal } = settings
  const threads = Math.min(jobs, tasks.length)
  await withThreads(threads, { jobs, signal, layers: count }, async (pool, control) => {
    const progress = reportProgress(control, count, onEvent)
    const onOtherCompression = warnOfOtherCompression(onEvent)
    try {
      await allOrAbort(bySize(tasks), control, (task) =>
        stageOne(task, control, pool, layers, { onEvent, onOtherCompression })
      )
      throwIfAborted(signal)
    } finally {
      progress.stop()
    }
  })
}

async function stageOne(
  task: ReadLayerTask,
  control: Control,
  pool: Pool,
  layers: OrderedLayers,
  {
    onEvent,
    onOtherCompression
  }: Pick<StageSettings, 'onEvent'> & {
    onOtherCompression: OnOtherCompression
  }
): Promise<void> {
  const { layer, source, compression } = task
  try {
    await pool.run(task, control, {
      entries: (batch) => layers.add(layer, batch),
      lostXattr: (entry, xattr) => onEvent(lostXattr(display(entry), display(xattr))),
      otherCompression: (found) => onOtherCompression(layer, source, compression, found)
    })
    layers.complete(layer)
  } catch (error) {
    throw withFacts(error, { layer: layerName(layer, task.source) })
  }
  onEvent({ type: 'layer', layer, counters: control.layer(layer) })
}

/** The biggest first, so that no thread is left alone with it at the end. */
function bySize(tasks: readonly ReadLayerTask[]): ReadLayerTask[] {
  const sizes = new Map(
    tasks.map((task) => [task, uncompressedSizeHint(task.source, task.compression)])
  )
  return tasks.toSorted((a, b) => sizes.get(b)! - sizes.get(a)!)
}

/** Waits for all, even after a failure, so that no thread still writes when it throws. */
async function allOrAbort(
  tasks: readonly ReadLayerTask[],
  control: Control,
  run: (task: ReadLayerTask) => Promise<void>
): Promise<void> {
  const failures: unknown[] = []
  const watched = tasks.map(async (task) => {
    if (control.aborted()) return
    try {
      await run(task)
    } catch (error) {
      failures.push(error)
      control.abort()
    }
  })
  await Promise.all(watched)
  if (failures.length > 0) throw failures[0]
}
