/** Each layer on top of its parent's state, in the directory that a hook names; read and verified ahead in threads. */
import { withFacts } from '../../errors.ts'
import { fold } from '../../plan/fold.ts'
import { LayerStack } from '../../plan/layer-stack.ts'
import { newTree, STAGED_NODES, type Directory, type MergedTree } from '../../plan/tree.ts'
import { addExistingTree, existingPlanRoot } from '../extract/plan-root.ts'
import type { Job } from '../extract/job.ts'
import { assertEmpty } from '../extract/layer-directory.ts'
import { layerName, type LayerTar } from '../extract/layer-tasks.ts'
import { mergeImage } from '../extract/merge-image.ts'
import { withWorkspace } from '../place/workspace.ts'
import type { LayerStore } from './layer-store.ts'
import { withSpools } from './spooled-layers.ts'

/**
 * Gives the tree of the image, with the digests of all files, where all layers were missing.
 * @param directory ours, for what is read ahead
 */
export async function extractChain(
  job: Job,
  store: LayerStore,
  missing: readonly number[],
  directory: string
): Promise<Directory | undefined> {
  const tree = missing[0] === 0 ? newTree(STAGED_NODES) : undefined
  const [only] = missing
  if (missing.length === 1) await applyLayer(job, store, { layer: only!, tar: undefined, tree })
  else
    await withSpools(job, missing, directory, async (spools) => {
      for (const layer of missing) {
        await applyLayer(quiet(job), store, { layer, tar: () => spools.take(layer), tree })
        spools.drop(layer)
      }
    })
  return tree?.root
}

interface Step {
  layer: number
  tar: (() => Promise<LayerTar>) | undefined
  tree: MergedTree | undefined
}

/** Progress is told by who reads ahead; no further threads are started for the layer whose turn it is. */
function quiet({ settings, ...job }: Job): Job {
  const onEvent: typeof settings.onEvent = (event) => {
    if (event.type === 'warning') settings.onEvent(event)
  }
  return { ...job, settings: { ...settings, jobs: 0, onEvent } }
}

async function applyLayer(job: Job, store: LayerStore, { layer, tar, tree }: Step): Promise<void> {
  try {
    const target = await store.stage(layer)
    await applyTo(job, target!, layer, await tar?.(), tree)
    await store.commit(layer)
  } catch (error) {
    throw withFacts(error, { layer: layerName(layer, job.image.manifest.layers[layer]!) })
  }
}

async function applyTo(
  job: Job,
  target: string,
  layer: number,
  tar: LayerTar | undefined,
  tree: MergedTree | undefined
): Promise<void> {
  if (layer === 0) assertEmpty(target)
  await withWorkspace(target, job.settings.onEvent, async (workspace) => {
    const existing = workspace.existing!
    const stack = new LayerStack(RULES)
    if (layer > 0) addExistingTree(stack, workspace.destination, existing)
    await mergeImage(job, stack, {
      planRoot: existingPlanRoot(workspace, existing),
      name: '',
      digests: true,
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
