/**
 * One layer of the merged tree as it must be in its own directory, so that a stack of such directories shows the merged
 * tree: everything that the layer touched, and marks for what it removes from the layers below.
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
  /** The staged directories of the layer, by their directory in the merged tree. */
  staged: ReadonlyMap<PlannedDirectory, readonly PhysicalDirectory[]>
  /** Whether there may be a mark at the top of the layer; overlayfs does not look for one there. */
  rootMayBeOpaque: boolean
}

/** Must be called after the whole layer is folded, and before the next one is. */
export function layerView(root: PlannedDirectory, options: LayerViewOptions): PlannedDirectory {
  touchWhatLost(options)
  return new LayerView(options).root(root)
}

/**
 * A directory that only lost something must be in the layer to hold the marks. Touching one that was itself removed
 * does no harm: the removal is recorded in its parent.
 */
function touchWhatLost({ changes, layer }: LayerViewOptions): void {
  for (const directory of changes.directories())
    if (changes.gone(directory).length > 0) touch(directory, layer)
}

/** What lower layers have in a directory: it shows, it must be hidden, or there is nothing. */
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
    // it existed before, so it may have attributes
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

  /** A directory over a lower file hides that file, and everything below it, without a mark. */
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
  const inode = PLANNED_NODES.inode(bareEntry(type, name), UNTOUCHED, name)
  view.children.set(name, { kind: 'leaf', inode, touched: UNTOUCHED })
}
