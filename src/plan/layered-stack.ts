/**
 * Layers in, a directory for each of them out: stacked as overlayfs stacks them, these directories show the tree
 * that all layers together make. Pure: what comes out is operations.
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
import type { PhysicalDirectory } from './tree.ts'
import type { StagedEntry } from './staged-entry.ts'
import { newDirectory, type Directory } from './tree.ts'
import type { WhiteoutForm } from './whiteout-form.ts'

export interface LayeredOptions extends Pick<FoldOptions, 'keepDirlinks'> {
  form: WhiteoutForm
}

/** Where a layer is staged, relative to the directory that it is to lie in. */
export interface LayerPlaces {
  /** The layer's private directory. */
  staging: ByteString
  /** An empty directory beside it, for what is not needed any more. */
  trash: ByteString
}

export class LayeredStack {
  /** The merged tree of all layers so far. */
  readonly root: Directory = newDirectory(undefined, '')
  private readonly options: LayeredOptions
  private readonly homes = new LinkHomes(this.root)

  constructor(options: LayeredOptions) {
    this.options = options
  }

  /** The next layer, bottom to top, counted from 0: all of it is added and finished before the one above begins. */
  layer(index: number, places: LayerPlaces): LayerPlanner {
    return new LayerPlanner(this.root, this.homes, index, this.options, places)
  }

  /** The same, for a layer that lies in its directory already. */
  committedLayer(index: number): CommittedLayer {
    return new CommittedLayer(this.root, this.homes, index)
  }
}

export class LayerPlanner {
  private readonly root: Directory
  private readonly homes: LinkHomes
  private readonly index: number
  private readonly form: WhiteoutForm
  private readonly changes = new LayerChanges()
  /** The directory that the layer is to lie in; its staging is in it. */
  private readonly workspace = newPhysicalDirectory(undefined, '')
  private readonly trash: PhysicalDirectory
  private readonly folder: LayerFolder

  constructor(
    root: Directory,
    homes: LinkHomes,
    index: number,
    { keepDirlinks, form }: LayeredOptions,
    { staging, trash }: LayerPlaces
  ) {
    this.root = root
    this.homes = homes
    this.index = index
    this.form = form
    this.trash = physicalAt(this.workspace, trash)
    const options = { keepDirlinks, changes: this.changes }
    this.folder = new LayerFolder(root, index, options, physicalAt(this.workspace, staging))
  }

  /** Entries in archive order. @throws ENTRY_INVALID, LIMIT_EXCEEDED */
  add(entry: StagedEntry): void {
    this.folder.add(entry)
  }

  /** What makes the layer's directory out of its staging, relative to that directory. To be called once. */
  finish(): Operation[] {
    const copies = this.homes.settle(this.index)
    const view = layerView(this.root, {
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
  private readonly root: Directory
  private readonly homes: LinkHomes
  private readonly index: number

  constructor(root: Directory, homes: LinkHomes, index: number) {
    this.root = root
    this.homes = homes
    this.index = index
  }

  /** What lies in the layer's directory, parents before children. Its paths are literal: no link is kept. */
  add(entry: StagedEntry): void {
    fold(this.root, this.index, entry, { keepDirlinks: false })
  }

  /** To be called once, when all is added. */
  finish(): void {
    this.homes.settle(this.index)
  }
}
