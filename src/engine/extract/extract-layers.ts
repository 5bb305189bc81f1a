/** Extracts each layer alone into its own directory: all are written at the same time and completed base first. */
import { withFacts } from '../../errors.ts'
import { LayeredStack } from '../../plan/layered-stack.ts'
import type { Operation } from '../../plan/operations.ts'
import type { Directory } from '../../plan/tree.ts'
import type { WhiteoutForm } from '../../plan/whiteout-form.ts'
import { close } from '../../sys/files.ts'
import { layerStaging, layerTrash } from './plan-root.ts'
import type { Job } from './job.ts'
import { joinLayerDirectory, readLayer } from './join-layer-directory.ts'
import { openLayerDirectory, type LayerDirectory } from './layer-directory.ts'
import { LayerDirectories } from './layer-directories.ts'
import { directoryOf, type LayerPlaces } from './layer-places.ts'
import { layerName, stageLayerTask } from './layer-tasks.ts'
import { OrderedLayers, type LayerTurn } from './ordered-layers.ts'
import { biggestFirst, stageLayers } from './stage-layers.ts'
import { Sequence } from './take-turns.ts'

/** Returns the merged tree, with the digests of all extracted files. */
export async function extractLayers(
  job: Job,
  missing: readonly number[],
  places: LayerPlaces,
  form: WhiteoutForm
): Promise<Directory> {
  const extraction = new LayerExtraction(job, places, form)
  try {
    await extraction.prepare(missing)
    await extraction.run(missing)
    return extraction.stack.root
  } finally {
    extraction.close()
  }
}

class LayerExtraction {
  readonly stack: LayeredStack
  private readonly job: Job
  private readonly places: LayerPlaces
  private readonly form: WhiteoutForm
  private readonly directories = new Map<number, LayerDirectory>()
  private readonly committedLayers: LayerDirectories
  private readonly sequence = new Sequence()

  constructor(job: Job, places: LayerPlaces, form: WhiteoutForm) {
    this.job = job
    this.places = places
    this.committedLayers = new LayerDirectories(places)
    this.form = form
    this.stack = new LayeredStack({ keepDirlinks: false, form })
  }

  async prepare(missing: readonly number[]): Promise<void> {
    for (const layer of missing) {
      const directory = directoryOf(await this.places.stage(layer))
      this.directories.set(layer, openLayerDirectory(directory, layer))
    }
  }

  async run(missing: readonly number[]): Promise<void> {
    const { image, settings } = this.job
    const { layers } = image.manifest
    const names = layers.map((descriptor, layer) => layerName(layer, descriptor))
    const turns = new OrderedLayers(names, (layer) => this.turn(layer))
    for (const layer of layers.keys()) if (!missing.includes(layer)) turns.complete(layer)
    const tasks = biggestFirst(missing.map((layer) => this.task(layer)))
    const { signal } = this.sequence
    await this.sequence.during(settings.signal, () =>
      stageLayers(tasks, layers.length, turns, { ...settings, signal })
    )
  }

  close(): void {
    this.committedLayers.close()
    for (const { fd } of this.directories.values()) close(fd)
  }

  private task(layer: number): ReturnType<typeof stageLayerTask> {
    const directory = this.directories.get(layer)!
    return stageLayerTask(this.job, layer, {
      staging: { directory: directory.fd, path: layerStaging(directory, layer) },
      digests: !this.job.settings.isLazy,
      form: this.form
    })
  }

  private turn(layer: number): LayerTurn {
    const directory = this.directories.get(layer)
    return directory === undefined ? this.committed(layer) : this.staged(layer, directory)
  }

  /** Only its directory is read, and only because a layer above it is extracted. */
  private committed(layer: number): LayerTurn {
    const read = (): void =>
      readLayer(this.stack, layer, this.committedLayers.pathOf(layer), this.form)
    return { add: () => undefined, end: read }
  }

  private staged(layer: number, directory: LayerDirectory): LayerTurn {
    const places = { staging: layerStaging(directory, layer), trash: layerTrash(directory) }
    const planner = this.stack.layer(layer, places)
    return {
      add: (entry) => planner.add(entry),
      end: () => {
        const operations = planner.finish()
        this.sequence.add(() => this.complete(directory, operations))
      }
    }
  }

  private async complete(
    directory: LayerDirectory,
    operations: readonly Operation[]
  ): Promise<void> {
    const { layer } = directory
    const { settings, image } = this.job
    try {
      joinLayerDirectory(directory, operations, {
        form: this.form,
        directoryOf: (lower) => this.committedLayers.pathOf(lower),
        policy: settings.policy,
        onEvent: settings.onEvent
      })
      await this.places.commit(layer)
    } catch (error) {
      throw withFacts(error, { layer: layerName(layer, image.manifest.layers[layer]!) })
    }
  }
}
