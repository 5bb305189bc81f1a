/** Reads many layers at the same time, from blobs to their sinks: a thread for each. */
import { display } from '../../bytes.ts'
import { uncompressedSizeHint } from '../../codec/size-hint.ts'
import { withFacts } from '../../errors.ts'
import type { Control } from '../../worker/control.ts'
import type { Pool } from '../../worker/pool.ts'
import type { ErofsLayerTask } from '../../worker/erofs-layer.ts'
import type { ResultOf } from '../../worker/perform.ts'
import type { ReadLayerTask } from '../../worker/read-layer.ts'
import { throwIfAborted } from '../operation/abort.ts'
import { lostXattr } from './join-layers.ts'
import { layerName } from './layer-tasks.ts'
import { warnOfOtherCompression, type OnOtherCompression } from './other-compression.ts'
import type { OrderedLayers } from './ordered-layers.ts'
import { reportProgress } from '../operation/progress.ts'
import { withThreads } from '../operation/threads.ts'
import type { UnpackSettings } from './unpack-options.ts'

export type StageSettings = Pick<UnpackSettings, 'jobs' | 'onEvent' | 'signal' | 'pool'>

/** A task that reads a layer, and reports its entries. */
export type LayerTask = ReadLayerTask | ErofsLayerTask

/** Gets what is in the layers: their entries as they are read, and that they were verified. */
export type LayerEntries = Pick<OrderedLayers, 'add' | 'complete'>

/**
 * @param tasks in the order in which they begin
 * @param count of all layers of the image, whether read or not
 * @param onDone called with what a task has returned
 * @throws the first failure, with its layer; ABORTED when the signal fires
 */
export async function stageLayers<T extends LayerTask>(
  tasks: readonly T[],
  count: number,
  layers: LayerEntries,
  settings: StageSettings,
  onDone: (task: T, result: ResultOf<T>) => void = () => undefined
): Promise<void> {
  const { jobs, onEvent, signal, pool: kept } = settings
  await withThreads(jobs, { jobs, signal, pool: kept, layers: count }, async (pool, control) => {
    const progress = reportProgress(control, count, onEvent)
    const onOtherCompression = warnOfOtherCompression(onEvent)
    try {
      await allOrAbort(tasks, control, async (task) =>
        onDone(task, await stageOne(task, control, pool, layers, { onEvent, onOtherCompression }))
      )
      throwIfAborted(signal)
    } finally {
      progress.stop()
    }
  })
}

/** What the caller does with an event is none of the layer's business. */
async function stageOne<T extends LayerTask>(
  task: T,
  control: Control,
  pool: Pool,
  layers: LayerEntries,
  callbacks: Callbacks
): Promise<ResultOf<T>> {
  const { layer } = task
  const result = await readOne(task, control, pool, layers, callbacks)
  callbacks.onEvent({ type: 'layer', layer, counters: control.layer(layer) })
  return result
}

interface Callbacks extends Pick<StageSettings, 'onEvent'> {
  onOtherCompression: OnOtherCompression
}

async function readOne<T extends LayerTask>(
  task: T,
  control: Control,
  pool: Pool,
  layers: LayerEntries,
  { onEvent, onOtherCompression }: Callbacks
): Promise<ResultOf<T>> {
  const { layer, source, compression } = task
  try {
    const result = await pool.run(task, control, {
      entries: (batch) => layers.add(layer, batch),
      lostXattr: (entry, xattr) => onEvent(lostXattr(display(entry), display(xattr))),
      otherCompression: (found) => onOtherCompression(layer, source, compression, found)
    })
    layers.complete(layer)
    return result
  } catch (error) {
    throw withFacts(error, { layer: layerName(layer, task.source) })
  }
}

/** An order in which no thread is left alone with a big layer at the end. */
export function biggestFirst<T extends LayerTask>(tasks: readonly T[]): T[] {
  const sizes = new Map(
    tasks.map((task) => [task, uncompressedSizeHint(task.source, task.compression)])
  )
  return tasks.toSorted((a, b) => sizes.get(b)! - sizes.get(a)!)
}

/** Waits for all, even after a failure, so that no thread still writes when it throws. */
async function allOrAbort<T>(
  tasks: readonly T[],
  control: Control,
  run: (task: T) => Promise<void>
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
