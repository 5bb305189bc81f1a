/** The layers of an image on their way into one merged tree. */
import type { MergedImageTree } from '../../erofs/merged-tree.ts'
import { OrderedLayers } from '../extract/ordered-layers.ts'

/** @param names of the layers in errors */
export function mergedTurns(tree: MergedImageTree, names: readonly string[]): OrderedLayers {
  return new OrderedLayers(names, (layer) => ({
    add: (entry) => tree.add(layer, entry),
    end: () => undefined
  }))
}
