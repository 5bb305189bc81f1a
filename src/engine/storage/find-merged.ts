/** Finds out where the image is that joins all layers, if hooks keep layers as images, and whether it can be used. */
import { said } from '../../hooks/calls.ts'
import type { HookLayer } from '../../hooks/contexts.ts'
import { isJoined } from '../erofs/joined-images.ts'
import { checkApart, checkMerged } from './check-targets.ts'
import type { LayerSearch } from './find-layers.ts'

export interface Merged {
  path: string
  /** Whether the image is there and joins these layers. If not, no other process makes it meanwhile. */
  isThere: boolean
}

/**
 * Undefined if nothing joins the layers: hooks keep no images, or there are no layers.
 * @param targets of the layers, by layer; undefined for those that are missing
 */
export async function findMerged(
  search: LayerSearch,
  targets: readonly (string | undefined)[]
): Promise<Merged | undefined> {
  const top = search.layers.at(-1)
  if (search.hooks.extract !== 'image' || top === undefined) return undefined
  const path = await ask(search, top, targets)
  const layers = search.layers.flatMap(({ index, diffId }) => {
    const target = targets[index]
    return target === undefined ? [] : [{ path: target, diffId }]
  })
  const isThere = (): boolean =>
    layers.length === search.layers.length && isJoined(path, layers, top.chainId)
  if (isThere()) return { path, isThere: true }
  await search.locks.holdMerged(top.chainId)
  return { path, isThere: isThere() }
}

async function ask(
  { hooks, context, signal }: LayerSearch,
  { chainId, parentChainId }: HookLayer,
  targets: readonly (string | undefined)[]
): Promise<string> {
  const parent = parentChainId === undefined ? {} : { parentChainId }
  const outcome = await hooks.call('merge', { ...context, chainId, ...parent }, signal)
  const facts = { hooks: hooks.name, ...said(outcome) }
  // without a target, its answer would not have been accepted
  const path = outcome.status === 'yes' ? outcome.answer.target! : ''
  const others = targets.flatMap((target) => target ?? [])
  checkApart(path, [...others, context.layout], facts)
  checkMerged(path, facts)
  return path
}
