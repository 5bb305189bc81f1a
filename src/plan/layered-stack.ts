/**
 * Layers in, a directory for each of them out: stacked as overlayfs does it, these directories show the merged tree of
 * all layers. Pure: the result is a list of operations.
 */
import type { ByteString } from '../bytes.ts'
import { assemble } from './assemble.ts'
import { LayerChanges } from './changes.ts'
import { fold, type FoldOptions } from './fold.ts'
import { LayerFolder } from './layer-stack.ts'
import { layerView } from './layer-view.ts'
import { LinkHomes } from './link-homes.ts'
import type { Operation } from './operations.ts'
import { newPhysicalDirectory, physicalAt } from './physical.ts'
import {
  PLANNED_NODES,
  type PhysicalDirectory,
  type PlannedDirectory,
  type PlannerBooks
} from './planned-tree.ts'
import type { StagedEntry } from './staged-entry.ts'
import { newTree, type MergedTree } from './tree.ts'
import type { WhiteoutForm } from './whiteout-form.ts'

export interface LayeredOptions extends Pick<FoldOptions, 'keepDirlinks'> {
  form: WhiteoutForm
}

/** Where a layer is staged, relative to its final directory. */
export interface LayerPlaces {
  /** The layer's private directory. */
  staging: ByteString
  /** An empty directory beside it, for what is no longer needed. */
  trash: ByteString
}

export class LayeredStack {
  private readonly tree: MergedTree<PlannerBooks> = newTree(PLANNED_NODES)
  private readonly options: LayeredOptions
  private readonly homes = new LinkHomes(this.tree.root)

  constructor(options: LayeredOptions) {
    this.options = options
  }

  /** The root of the merged tree of all layers so far. */
  get root(): PlannedDirectory {
    return this.tree.root
  }

  /**
   * The next layer, bottom to top, counted from 0. It must be added entirely and finished before the one above begins.
   */
  layer(index: number, places: LayerPlaces): LayerPlanner {
    return new LayerPlanner(this.tree, this.homes, index, this.options, places)
  }

  /** The same for a layer that is already in its directory. */
  committedLayer(index: number): CommittedLayer {
    return new CommittedLayer(this.tree, this.homes, index)
  }
}

export class LayerPlanner {
  private readonly tree: MergedTree<PlannerBooks>
  private readonly homes: LinkHomes
  private readonly index: number
  private readonly form: WhiteoutForm
  private readonly changes = new LayerChanges()
  /** The final directory of the layer, which contains its staging directory. */
  private readonly workspace = newPhysicalDirectory(undefined, '')
  private readonly trash: PhysicalDirectory
  private readonly folder: LayerFolder

  constructor(
    tree: MergedTree<PlannerBooks>,
    homes: LinkHomes,
    index: number,
    { keepDirlinks, form }: LayeredOptions,
    { staging, trash }: LayerPlaces
  ) {
    this.tree = tree
    this.homes = homes
    this.index = index
    this.form = form
    this.trash = physicalAt(this.workspace, trash)
    const options = { keepDirlinks, changes: this.changes }
    this.folder = new LayerFolder(tree, index, options, physicalAt(this.workspace, staging))
  }

  /** Entries in archive order. @throws ENTRY_INVALID, LIMIT_EXCEEDED */
  add(entry: StagedEntry): void {
    this.folder.add(entry)
  }

  /** The operations that turn the layer's staging into its directory, relative to that directory. Call it only once. */
  finish(): Operation[] {
    const copies = this.homes.settle(this.index)
    const view = layerView(this.tree.root, {
      layer: this.index,
      changes: this.changes,
      staged: this.folder.stagedFor(),
      rootMayBeOpaque: this.form === 'none'
    })
    const { workspace, trash } = this
    return assemble({ root: view, workspace, target: '', trash, copies })
  }
}

export class CommittedLayer {
  private readonly tree: MergedTree<PlannerBooks>
  private readonly homes: LinkHomes
  private readonly index: number

  constructor(tree: MergedTree<PlannerBooks>, homes: LinkHomes, index: number) {
    this.tree = tree
    this.homes = homes
    this.index = index
  }

  /** Adds what is in the layer's directory, parents before children. Paths are literal: no link is followed. */
  add(entry: StagedEntry): void {
    fold(this.tree, this.index, entry, { keepDirlinks: false })
  }

  /** To be called once, after everything was added. */
  finish(): void {
    this.homes.settle(this.index)
  }
}
