/** All layers of an image at once, from blobs to one merged tree: staged in threads, folded in order. */
import { display } from '../bytes.ts'
import { uncompressedSizeHint } from '../codec/size-hint.ts'
import { withFacts } from '../errors.ts'
import { layerCompression, type Compression } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'
import type { LayerFolder, LayerStack } from '../plan/layer-stack.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { ResolvedImage } from '../store/resolve.ts'
import { makeDirectory } from '../sys/names.ts'
import { Control } from '../worker/control.ts'
import { decodeEntries } from '../worker/entry-codec.ts'
import { Pool } from '../worker/pool.ts'
import type { StageLayerTask } from '../worker/stage-layer.ts'
import { lostXattr } from './join-layers.ts'
import { reportProgress } from './progress.ts'
import type { UnpackSettings } from './unpack-options.ts'
import { throwIfAborted } from './abort.ts'
import { layerStaging, type Ground } from './ground.ts'

export interface StageImageOptions {
  source: ImageSource
  image: ResolvedImage
  settings: UnpackSettings
  /** Hash every file for the manifest. */
  digests: boolean
}

/** @throws the first failure, with the layer it belongs to; ABORTED when the signal says so */
export async function stageImage(
  ground: Ground,
  stack: LayerStack,
  options: StageImageOptions
): Promise<void> {
  const { jobs, onEvent, signal } = options.settings
  const tasks = layerTasks(ground, options)
  const control = Control.forLayers(tasks.length, jobs)
  const pool = new Pool(Math.min(jobs, tasks.length))
  const folder = new OrderedFolder(stack, ground, tasks.map(layerName))
  const progress = reportProgress(control, tasks.length, onEvent)
  const abort = (): void => control.abort()
  signal?.addEventListener('abort', abort)
  try {
    throwIfAborted(signal)
    await allOrAbort(bySize(tasks), control, (task) =>
      stageOne(task, control, pool, folder, options)
    )
    throwIfAborted(signal)
  } finally {
    signal?.removeEventListener('abort', abort)
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
  const { onEvent } = options.settings
  try {
    await pool.run(task, control, {
      entries: (batch) => folder.add(layer, batch),
      lostXattr: (entry, xattr) => onEvent(lostXattr(display(entry), display(xattr)))
    })
    folder.complete(layer)
  } catch (error) {
    throw withFacts(error, { layer: layerName(task) })
  }
  onEvent({ type: 'layer', layer, counters: control.layer(layer) })
}

/** As errors name it: its place counted from 1, and its digest. */
function layerName({ layer, source }: StageLayerTask): string {
  return `${layer + 1} (${source.digest})`
}

function layerTasks(ground: Ground, options: StageImageOptions): StageLayerTask[] {
  const { source, image, settings, digests } = options
  const { decompressor, policy, limits, pathBytes } = settings
  makeDirectory(ground.fd, ground.staging, 0o700)
  return image.manifest.layers.map((descriptor, layer) => {
    makeDirectory(ground.fd, layerStaging(ground, layer), 0o700)
    return {
      type: 'stage-layer',
      layer,
      staging: `${ground.path}/${layerStaging(ground, layer)}`,
      source: source.blobSource(descriptor),
      compression: compressionOf(descriptor, layer),
      diffId: image.config.rootfs.diff_ids[layer]!,
      decompressor,
      rules: { policy, maxPathBytes: pathBytes },
      digests,
      limits
    }
  })
}

function compressionOf({ mediaType, digest }: Descriptor, layer: number): Compression {
  try {
    return layerCompression(mediaType)
  } catch (error) {
    throw withFacts(error, { layer: `${layer + 1} (${digest})` })
  }
}

/** The biggest first, so that no thread is left alone with it at the end. */
function bySize(tasks: readonly StageLayerTask[]): StageLayerTask[] {
  const sizes = new Map(
    tasks.map((task) => [task, uncompressedSizeHint(task.source, task.compression)])
  )
  return tasks.toSorted((a, b) => sizes.get(b)! - sizes.get(a)!)
}

/** Waits for all, even after a failure, so that nobody writes any more when it throws. */
async function allOrAbort(
  tasks: readonly StageLayerTask[],
  control: Control,
  run: (task: StageLayerTask) => Promise<void>
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

/** Folds layers strictly in order while they arrive in any: entries of later layers wait. */
class OrderedFolder {
  private readonly stack: LayerStack
  private readonly ground: Ground
  private readonly names: readonly string[]
  private readonly waiting: Uint8Array[][]
  private readonly completed: boolean[]
  private next = 0
  private folder: LayerFolder | undefined

  constructor(stack: LayerStack, ground: Ground, names: readonly string[]) {
    this.stack = stack
    this.names = names
    this.ground = ground
    this.waiting = names.map(() => [])
    this.completed = names.map(() => false)
  }

  add(layer: number, batch: Uint8Array): void {
    if (layer === this.next) this.fold(batch)
    else this.waiting[layer]!.push(batch)
  }

  complete(layer: number): void {
    this.completed[layer] = true
    while (this.completed[this.next] === true) {
      this.start()
      this.next += 1
      this.folder = undefined
      for (const batch of this.waiting[this.next]?.splice(0) ?? []) this.fold(batch)
    }
  }

  private fold(batch: Uint8Array): void {
    const folder = this.start()
    for (const entry of decodeEntries(batch)) this.addEntry(folder, entry)
  }

  /** Also a layer without entries has a place on disk. */
  private start(): LayerFolder {
    this.folder ??= this.stack.layer(this.next, layerStaging(this.ground, this.next))
    return this.folder
  }

  private addEntry(folder: LayerFolder, entry: StagedEntry): void {
    try {
      folder.add(entry)
    } catch (error) {
      throw withFacts(error, { layer: this.names[this.next]!, entry: display(entry.path) })
    }
  }
}
