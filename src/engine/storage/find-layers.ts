/** Finds out which layers hooks already have, and locks the others, so that no other process makes them. */
import { said, type HookSet, type Said } from '../../hooks/calls.ts'
import type { HookLayer, ImageContext } from '../../hooks/contexts.ts'
import { layerName } from '../extract/layer-tasks.ts'
import { checkCommitted } from './check-targets.ts'
import type { LayerLocks } from './layer-locks.ts'

export interface LayerSearch {
  hooks: HookSet
  context: ImageContext
  /** Base layer first. */
  layers: readonly HookLayer[]
  /** Locks on the storage, from now on, and on each layer that must be made. */
  locks: LayerLocks
  signal: AbortSignal | undefined
}

/** Where each existing layer is; undefined if hooks do not decide that. */
export type Found = Map<number, string | undefined>

/** Missing layers are looked up again once their keys are locked, because another process may just have made them. */
export async function findLayers(
  search: LayerSearch
): Promise<{ found: Found; missing: readonly number[] }> {
  const { hooks, layers, locks } = search
  await locks.holdStorage()
  const { found, unanswered } = await prepare(search)
  await trySkip(search, unanswered, found)
  const candidates = needed(search, found)
  if (hooks.extract === 'rootfs') return { found, missing: candidates }
  for (const layer of candidates) await locks.hold(layers[layer]!)
  await trySkip(search, candidates, found)
  const missing = needed(search, found)
  for (const layer of candidates) if (!missing.includes(layer)) locks.release(layer)
  return { found, missing }
}

/** One call for all layers; hooks need not answer for each of them. */
async function prepare(search: LayerSearch): Promise<{ found: Found; unanswered: number[] }> {
  const { hooks, context, layers, signal } = search
  const outcome = await hooks.call('prepare', { ...context, layers }, signal)
  const answers = outcome.status === 'yes' ? outcome.answer.layers : new Map<never, never>()
  const found: Found = new Map()
  const unanswered: number[] = []
  for (const { index, chainId } of layers) {
    const answer = answers.get(chainId)
    if (answer === undefined) unanswered.push(index)
    else if (answer.status === 'skip')
      found.set(index, checked(search, index, answer.target, outcome))
  }
  return { found, unanswered }
}

/** How many calls of hooks run at once. */
const AT_ONCE = 8

async function trySkip(
  search: LayerSearch,
  layers: readonly number[],
  found: Found
): Promise<void> {
  const tryOne = async (layer: number): Promise<void> => {
    const context = { ...search.context, ...search.layers[layer]! }
    const outcome = await search.hooks.call('try-skip', context, search.signal)
    if (outcome.status === 'yes')
      found.set(layer, checked(search, layer, outcome.answer.target, outcome))
  }
  for (let from = 0; from < layers.length; from += AT_ONCE)
    await Promise.all(layers.slice(from, from + AT_ONCE).map(tryOne))
}

function checked(
  { hooks, layers }: LayerSearch,
  layer: number,
  target: string | undefined,
  outcome: Said
): string | undefined {
  const facts = {
    hooks: hooks.name,
    layer: layerName(layer, layers[layer]!),
    ...said(outcome)
  }
  if (target !== undefined) checkCommitted(hooks.extract, target, layers[layer]!, facts)
  return target
}

/** A state contains all layers below it; the engine's own tree is made of all layers or none. */
function needed({ hooks, layers }: LayerSearch, found: Found): number[] {
  const all = [...layers.keys()]
  switch (hooks.extract) {
    case 'layer':
    case 'image':
      return all.filter((layer) => !found.has(layer))
    case 'chain':
      return all.slice(all.findLastIndex((layer) => found.has(layer)) + 1)
    case 'rootfs':
      return all.every((layer) => found.has(layer)) ? [] : all
  }
}
