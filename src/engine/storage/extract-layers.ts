/** Each layer alone into the directory that a hook names: all are written at once and completed base first. */
import { withFacts } from '../../errors.ts'
import type { HookSet } from '../../hooks/calls.ts'
import { LayeredStack } from '../../plan/layered-stack.ts'
import type { Operation } from '../../plan/operations.ts'
import type { Directory } from '../../plan/tree.ts'
import { overlayNamespace, type WhiteoutForm } from '../../plan/whiteout-form.ts'
import { close } from '../../sys/files.ts'
import { layerStaging, layerTrash } from '../ground.ts'
import type { Job } from '../job.ts'
import { joinLayerDirectory, readLayer } from '../join-layer-directory.ts'
import { openLayerGround, type LayerGround } from '../layer-ground.ts'
import { layerName, stageLayerTask } from '../layer-tasks.ts'
import { OrderedLayers, type LayerTurn } from '../ordered-layers.ts'
import { stageLayers } from '../stage-layers.ts'
import { undescribedDirectory } from '../undescribed.ts'
import type { LayerStore } from './layer-store.ts'
import { Sequence } from './sequence.ts'

/** Gives the merged tree, which knows the digests of all files that were extracted. */
export async function extractLayers(
  job: Job,
  { whiteouts }: HookSet,
  store: LayerStore,
  missing: readonly number[]
): Promise<Directory> {
  const extraction = new Extraction(job, store, whiteouts!)
  try {
    await extraction.prepare(missing)
    await extraction.run(missing)
    return extraction.stack.root
  } finally {
    extraction.close()
  }
}

class Extraction {
  readonly stack: LayeredStack
  private readonly job: Job
  private readonly store: LayerStore
  private readonly form: WhiteoutForm
  private readonly grounds = new Map<number, LayerGround>()
  private readonly sequence: Sequence

  constructor(job: Job, store: LayerStore, form: WhiteoutForm) {
    this.job = job
    this.store = store
    this.form = form
    this.stack = new LayeredStack({ keepDirlinks: false, form })
    this.sequence = new Sequence(job.settings.signal)
  }

  async prepare(missing: readonly number[]): Promise<void> {
    for (const layer of missing) {
      const target = await this.store.stage(layer)
      this.grounds.set(layer, openLayerGround(target!, layer))
    }
  }

  async run(missing: readonly number[]): Promise<void> {
    const { layers } = this.job.image.manifest
    const names = layers.map((descriptor, layer) => layerName(layer, descriptor))
    const turns = new OrderedLayers(names, (layer) => this.turn(layer))
    for (const layer of layers.keys()) if (!missing.includes(layer)) turns.complete(layer)
    const settings = { ...this.job.settings, signal: this.sequence.signal }
    await this.sequence.during(() =>
      stageLayers(
        missing.map((layer) => this.task(layer)),
        layers.length,
        turns,
        settings
      )
    )
  }

  close(): void {
    for (const { fd } of this.grounds.values()) close(fd)
  }

  private task(layer: number): ReturnType<typeof stageLayerTask> {
    const ground = this.grounds.get(layer)!
    return stageLayerTask(this.job, layer, {
      staging: { directory: ground.fd, path: layerStaging(ground, layer) },
      digests: true,
      overlay: overlayNamespace(this.form)
    })
  }

  private turn(layer: number): LayerTurn {
    const ground = this.grounds.get(layer)
    return ground === undefined ? this.committed(layer) : this.staged(layer, ground)
  }

  /** Nothing of it is read but its directory, and that only because a layer above is extracted. */
  private committed(layer: number): LayerTurn {
    const read = (): void => readLayer(this.stack, layer, this.store.target(layer)!, this.form)
    return { add: () => undefined, end: read }
  }

  private staged(layer: number, ground: LayerGround): LayerTurn {
    const places = { staging: layerStaging(ground, layer), trash: layerTrash(ground) }
    const planner = this.stack.layer(layer, places)
    return {
      add: (entry) => planner.add(entry),
      end: () => {
        const operations = planner.finish()
        this.sequence.add(() => this.complete(ground, operations))
      }
    }
  }

  private async complete(ground: LayerGround, operations: readonly Operation[]): Promise<void> {
    const { layer } = ground
    const { settings, image } = this.job
    try {
      joinLayerDirectory(ground, operations, {
        form: this.form,
        directoryOf: (lower) => this.store.target(lower)!,
        undescribed: undescribedDirectory(settings.policy),
        onEvent: settings.onEvent
      })
      await this.store.commit(layer)
    } catch (error) {
      throw withFacts(error, { layer: layerName(layer, image.manifest.layers[layer]!) })
    }
  }
}
