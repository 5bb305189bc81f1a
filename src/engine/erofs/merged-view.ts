/** The merged tree of an image, as its layers are read, and where the image of each layer has the bodies of its files. */
import { LayerBodies } from '../../erofs/layer-bodies.ts'
import { fold } from '../../plan/fold.ts'
import type { StagedEntry } from '../../plan/staged-entry.ts'
import { INDEXED_NODES, newTree, type Directory } from '../../plan/tree.ts'
import type { LayerTurn } from '../extract/ordered-layers.ts'

export class MergedView {
  /** By layer, bottom first. */
  readonly bodies: readonly LayerBodies[]
  private readonly tree = newTree(INDEXED_NODES)
  private readonly keepDirlinks: boolean
  private readonly form: (entry: StagedEntry) => StagedEntry

  /** @param form of the entries in the tree; by default they stay as the layers have them */
  constructor(
    layers: number,
    keepDirlinks: boolean,
    form: (entry: StagedEntry) => StagedEntry = (entry) => entry
  ) {
    this.bodies = Array.from({ length: layers }, () => new LayerBodies())
    this.keepDirlinks = keepDirlinks
    this.form = form
  }

  get root(): Directory {
    return this.tree.root
  }

  /** For layers in their order. */
  turn(layer: number): LayerTurn {
    const { tree, keepDirlinks, form } = this
    const bodies = this.bodies[layer]!
    return {
      add(entry) {
        bodies.add(entry)
        fold(tree, layer, form(entry), { keepDirlinks })
      },
      end: () => undefined
    }
  }
}
