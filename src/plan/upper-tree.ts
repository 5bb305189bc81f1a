/**
 * The merged tree as far as the upper layers of an image tell it, to find single paths without reading the layers below.
 *
 * What an upper layer means may depend on those below it: its entry `lib/x` lies in `usr/lib` where a lower layer has `lib`
 * as a symbolic link. So an entry counts only where every directory on its way is described by an upper layer, too; the
 * first one that does not makes all these layers depend on the next. What is in the tree then is what the whole image has
 * there. A name that is not may be in a lower layer, unless a marker hides it.
 */
import { OciUnpackError } from '../errors.ts'
import type { ByteString } from '../bytes.ts'
import { fold } from './fold.ts'
import { baseName, parentPath } from './names.ts'
import type { StagedEntry } from './staged-entry.ts'
import { INDEXED_NODES, newTree, resolve, type Directory, type MergedTree } from './tree.ts'

export class UpperTree {
  readonly tree: MergedTree = newTree(INDEXED_NODES)
  /** Directories that lower layers add nothing to. */
  private readonly closed = new Set<Directory>()
  /** Names that lower layers add nothing at. */
  private readonly erased = new Map<Directory, Set<ByteString>>()

  /** Entries of the upper layers, bottom to top. False where their meaning depends on a lower layer: the tree is void then. */
  add(layer: number, entry: StagedEntry): boolean {
    try {
      return this.isOnItsOwn(entry) && this.fold(layer, entry)
    } catch (error) {
      // a loop of links, or a link to nothing: below there may be what puts it right
      if (error instanceof OciUnpackError && error.code === 'ENTRY_INVALID') return false
      throw error
    }
  }

  /** Whether a lower layer may have something at a name that the tree has not. */
  mayHaveMore(directory: Directory, name: ByteString): boolean {
    return !this.isHidden(directory, name)
  }

  isClosed(directory: Directory): boolean {
    return this.closed.has(directory)
  }

  private isOnItsOwn(entry: StagedEntry): boolean {
    const { missing } = resolve(this.tree.root, holderOf(entry))
    return missing.length === 0
  }

  private fold(layer: number, entry: StagedEntry): true {
    const { directory } = resolve(this.tree.root, holderOf(entry))
    const name = baseName(entry.path)
    const before = directory.children.get(name)
    const isNew =
      before?.kind === 'leaf' || (before === undefined && this.isHidden(directory, name))
    fold(this.tree, layer, entry, { keepDirlinks: false })
    const after = directory.children.get(name)
    if (entry.type === 'opaque') this.closed.add(directory)
    else if (entry.type === 'whiteout') this.erase(directory, name)
    else if (entry.path !== '' && isNew && after?.kind === 'directory') this.closed.add(after)
    return true
  }

  /** What the same layer has put there stays, but nothing from below. */
  private erase(directory: Directory, name: ByteString): void {
    const names = this.erased.get(directory)
    if (names === undefined) this.erased.set(directory, new Set([name]))
    else names.add(name)
    const kept = directory.children.get(name)
    if (kept?.kind === 'directory') this.closed.add(kept)
  }

  private isHidden(directory: Directory, name: ByteString): boolean {
    return this.closed.has(directory) || this.erased.get(directory)?.has(name) === true
  }
}

/** The directory that an entry changes. */
function holderOf({ type, path }: StagedEntry): ByteString {
  return type === 'opaque' ? path : parentPath(path)
}
