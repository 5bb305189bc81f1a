/** All layers of an image at once, from blobs to one merged tree: staged in threads, folded in order. */
import { display } from '../bytes.ts'
import type { DecompressorChoice } from '../codec/decompress.ts'
import { OciUnpackError, withFacts } from '../errors.ts'
import { layerCompression } from '../image/media-types.ts'
import { LayerStack } from '../plan/layer-stack.ts'
import type { EntryRules } from '../plan/policy.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Layout } from '../store/layout.ts'
import type { ResolvedImage } from '../store/resolve.ts'
import { makeDirectory } from '../sys/names.ts'
import { Control } from '../worker/control.ts'
import { Pool } from '../worker/pool.ts'
import type { StageLayerTask, StageLimits } from '../worker/stage-layer.ts'
import type { OnEvent } from './events.ts'
import { reportProgress } from './progress.ts'
import type { Workspace } from './workspace.ts'

export interface StageImageOptions {
  layout: Layout
  image: ResolvedImage
  jobs: number
  decompressor: DecompressorChoice
  rules: EntryRules
  keepDirlinks: boolean
  digests: boolean
  limits: StageLimits
  signal: AbortSignal | undefined
  onEvent: OnEvent
}

/** Names in the workspace. */
export const LAYERS = 'layers'

/** @throws the first failure, with the layer it belongs to; ABORTED when the signal says so */
export async function stageImage(
  workspace: Workspace,
  stack: LayerStack,
  options: StageImageOptions
): Promise<void> {
  const tasks = layerTasks(workspace, options)
  const control = Control.forLayers(tasks.length)
  const pool = new Pool(Math.min(options.jobs, tasks.length))
  const folder = new OrderedFolder(stack, tasks.length)
  const progress = reportProgress(control, tasks.length, options.onEvent)
  const abort = (): void => control.abort()
  options.signal?.addEventListener('abort', abort)
  try {
    throwIfAborted(options.signal)
    await allOrAbort(bySize(tasks), control, (task) =>
      stageOne(task, control, pool, folder, options)
    )
    throwIfAborted(options.signal)
  } finally {
    options.signal?.removeEventListener('abort', abort)
    progress.stop()
    await pool.close()
  }
}

async function stageOne(
  task: StageLayerTask,
  control: Control,
  pool: Pool,
  folder: OrderedFolder,
  options: StageImageOptions
): Promise<void> {
  const { layer } = task
  try {
    await pool.run(task, control, {
      entries: (batch) => folder.add(layer, batch),
      lostXattr: (entry, xattr) =>
        options.onEvent({
          type: 'warning',
          message: 'This file system cannot hold an extended attribute of the image.',
          facts: { layer: task.source.digest, entry: display(entry), found: display(xattr) }
        })
    })
    folder.complete(layer)
  } catch (error) {
    throw withFacts(error, { layer: `${layer + 1} (${task.source.digest})` })
  }
  options.onEvent({ type: 'layer', layer })
}

function layerTasks(workspace: Workspace, options: StageImageOptions): StageLayerTask[] {
  const { layout, image, decompressor, rules, digests, limits } = options
  makeDirectory(workspace.fd, LAYERS, 0o700)
  return image.manifest.layers.map((descriptor, layer) => {
    makeDirectory(workspace.fd, `${LAYERS}/${layer}`, 0o700)
    return {
      type: 'stage-layer',
      layer,
      staging: `${workspace.path}/${LAYERS}/${layer}`,
      source: layout.blobSource(descriptor),
      compression: layerCompression(descriptor.mediaType),
      diffId: image.config.rootfs.diff_ids[layer]!,
      decompressor,
      rules,
      digests,
      limits
    }
  })
}

/** The biggest first, so that no thread is left alone with it at the end. */
function bySize(tasks: readonly StageLayerTask[]): StageLayerTask[] {
  return tasks.toSorted((a, b) => b.source.size - a.source.size)
}

/** Waits for all, even after a failure, so that nobody writes any more when it throws. */
async function allOrAbort(
  tasks: readonly StageLayerTask[],
  control: Control,
  run: (task: StageLayerTask) => Promise<void>
): Promise<void> {
  const failures: unknown[] = []
  const watched = tasks.map(async (task) => {
    if (control.aborted) return
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

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new OciUnpackError('ABORTED', 'The operation was stopped.', { cause: signal.reason })
}

/** Folds layers strictly in order while they arrive in any: entries of later layers wait. */
class OrderedFolder {
  private readonly stack: LayerStack
  private readonly waiting: StagedEntry[][][]
  private readonly completed: boolean[]
  private next = 0
  private folder: ReturnType<LayerStack['layer']> | undefined

  constructor(stack: LayerStack, layers: number) {
    this.stack = stack
    this.waiting = Array.from({ length: layers }, () => [])
    this.completed = Array.from({ length: layers }, () => false)
  }

  add(layer: number, batch: StagedEntry[]): void {
    if (layer === this.next) this.fold(batch)
    else this.waiting[layer]!.push(batch)
  }

  complete(layer: number): void {
    this.completed[layer] = true
    while (this.completed[this.next] === true) {
      this.fold([])
      this.next += 1
      this.folder = undefined
      for (const batch of this.waiting[this.next] ?? []) this.fold(batch)
      if (this.next < this.waiting.length) this.waiting[this.next] = []
    }
  }

  private fold(batch: readonly StagedEntry[]): void {
    this.folder ??= this.stack.layer(this.next, `${LAYERS}/${this.next}`)
    for (const entry of batch) this.addEntry(this.folder, entry)
  }

  private addEntry(folder: ReturnType<LayerStack['layer']>, entry: StagedEntry): void {
    try {
      folder.add(entry)
    } catch (error) {
      throw withFacts(error, { layer: this.next + 1, entry: display(entry.path) })
    }
  }
}
