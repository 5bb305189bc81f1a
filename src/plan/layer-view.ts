/**
 * One layer of the merged tree, as it must lie in a directory of its own so that a stack of such directories shows
 * the merged tree: all that the layer touched, and marks for what it takes from the layers below.
 */
import type { ByteString } from '../bytes.ts'
import type { LayerChanges } from './changes.ts'
import { OPAQUE_NAME } from './names.ts'
import { PLANNED_NODES, type PhysicalDirectory, type PlannedDirectory } from './planned-tree.ts'
import { bareEntry } from './staged-entry.ts'
import { touch, UNTOUCHED } from './tree.ts'

export interface LayerViewOptions {
  layer: number
  changes: LayerChanges
  /** Staged directories of the layer, by the directory of the merged tree that they are for. */
  staged: ReadonlyMap<PlannedDirectory, readonly PhysicalDirectory[]>
  /** Overlayfs does not look for a mark at the top of a layer; other readers may. */
  rootMayBeOpaque: boolean
}

/** Must be called when all of the layer is folded, and before the next one is. */
export function layerView(root: PlannedDirectory, options: LayerViewOptions): PlannedDirectory {
  touchWhatLost(options)
  return new LayerView(options).root(root)
}

/**
 * A directory that only lost something has to be in the layer to hold the marks. One that has gone itself does no harm:
 * the one that it was in has lost it.
 */
function touchWhatLost({ changes, layer }: LayerViewOptions): void {
  for (const directory of changes.directories())
    if (changes.gone(directory).length > 0) touch(directory, layer)
}

/** What lower layers have in a directory: it shows, it must not, or there is nothing that could. */
type Below = 'shows' | 'hidden' | 'is empty'

class LayerView {
  private readonly options: LayerViewOptions

  constructor(options: LayerViewOptions) {
    this.options = options
  }

  root(root: PlannedDirectory): PlannedDirectory {
    const view = this.copy(root, undefined)
    const { changes, rootMayBeOpaque } = this.options
    this.fill(root, view, rootMayBeOpaque && changes.hidesAll(root) ? 'hidden' : 'shows')
    // it was there before: whoever made it may have given it attributes
    view.isOld = true
    return view
  }

  private fill(directory: PlannedDirectory, view: PlannedDirectory, below: Below): void {
    for (const [name, child] of directory.children) {
      if (child.touched !== this.options.layer) continue
      if (child.kind === 'leaf') view.children.set(name, child)
      else {
        const inner = this.copy(child, view)
        view.children.set(name, inner)
        this.fill(child, inner, below === 'shows' ? this.belowChild(directory, child) : 'is empty')
      }
    }
    this.mark(directory, view, below)
  }

  private mark(directory: PlannedDirectory, view: PlannedDirectory, below: Below): void {
    switch (below) {
      case 'hidden':
        setMark(view, OPAQUE_NAME, 'opaque')
        return
      case 'shows':
        for (const name of this.options.changes.gone(directory)) setMark(view, name, 'whiteout')
        return
      case 'is empty':
    }
  }

  /** A directory over a lower file hides it and what is below that, with no mark. */
  private belowChild(parent: PlannedDirectory, child: PlannedDirectory): Below {
    const { changes } = this.options
    if (!changes.isNew(parent, child.name)) return changes.hidesAll(child) ? 'hidden' : 'shows'
    return changes.lower(parent, child.name)?.kind === 'directory' ? 'hidden' : 'is empty'
  }

  private copy(
    directory: PlannedDirectory,
    parent: PlannedDirectory | undefined
  ): PlannedDirectory {
    const copy = PLANNED_NODES.directory(parent, directory.name)
    copy.entry = directory.entry
    copy.candidates.push(...(this.options.staged.get(directory) ?? []))
    return copy
  }
}

function setMark(view: PlannedDirectory, name: ByteString, type: 'whiteout' | 'opaque'): void {
  const inode = PLANNED_NODES.inode(bareEntry(type, name), UNTOUCHED)
  view.children.set(name, { kind: 'leaf', inode, touched: UNTOUCHED })
}
