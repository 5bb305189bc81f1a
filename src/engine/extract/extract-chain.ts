/**
 * Extracts each layer on top of its parent's state, into its own directory; layers are read and verified ahead in
 * threads.
 */
import { withFacts } from '../../errors.ts'
import { fold } from '../../plan/fold.ts'
import { LayerStack } from '../../plan/layer-stack.ts'
import { newTree, STAGED_NODES, type Directory, type MergedTree } from '../../plan/tree.ts'
import { addExistingTree, existingPlanRoot } from './plan-root.ts'
import type { Job } from './job.ts'
import { assertEmpty } from './layer-directory.ts'
import { directoryOf, type LayerPlaces } from './layer-places.ts'
import { layerName, type LayerTar } from './layer-tasks.ts'
import { mergeImage } from './merge-image.ts'
import { withWorkspace } from '../place/with-workspace.ts'
import { withSpools } from './spooled-layers.ts'

/**
 * Returns the tree of the image, with the digests of all files, if all layers were missing.
 * @param spools a private directory for layers that are read ahead
 */
export async function extractChain(
  job: Job,
  missing: readonly number[],
  places: LayerPlaces,
  spools: string
): Promise<Directory | undefined> {
  const tree = missing[0] === 0 ? newTree(STAGED_NODES) : undefined
  const [only] = missing
  if (missing.length === 1) await applyLayer(job, places, { layer: only!, tar: undefined, tree })
  else
    await withSpools(job, missing, spools, async (ahead) => {
      for (const layer of missing) {
        await applyLayer(quiet(job), places, { layer, tar: () => ahead.take(layer), tree })
        ahead.drop(layer)
      }
    })
  return tree?.root
}

interface Step {
  layer: number
  tar: (() => Promise<LayerTar>) | undefined
  tree: MergedTree | undefined
}

/** Progress is reported by the reading ahead; no further threads are started for the layer whose turn it is. */
function quiet({ settings, ...job }: Job): Job {
  const onEvent: typeof settings.onEvent = (event) => {
    if (event.type === 'warning') settings.onEvent(event)
  }
  return { ...job, settings: { ...settings, jobs: 0, onEvent } }
}

async function applyLayer(
  job: Job,
  places: LayerPlaces,
  { layer, tar, tree }: Step
): Promise<void> {
  try {
    const directory = directoryOf(await places.stage(layer))
    await applyTo(job, directory, layer, await tar?.(), tree)
    await places.commit(layer)
  } catch (error) {
    throw withFacts(error, { layer: layerName(layer, job.image.manifest.layers[layer]!) })
  }
}

async function applyTo(
  job: Job,
  directory: string,
  layer: number,
  tar: LayerTar | undefined,
  tree: MergedTree | undefined
): Promise<void> {
  if (layer === 0) assertEmpty(directory)
  await withWorkspace(directory, job.settings.onEvent, async (workspace) => {
    const existing = workspace.existing!
    const stack = new LayerStack(RULES)
    if (layer > 0) addExistingTree(stack, workspace.destination, existing)
    await mergeImage(job, stack, {
      planRoot: existingPlanRoot(workspace, existing),
      name: '',
      digests: !job.settings.isLazy,
      only: {
        layer,
        tar,
        onEntry: (entry) => {
          if (tree !== undefined) fold(tree, layer, entry, RULES)
        }
      }
    })
  })
}

const RULES = { keepDirlinks: false }
