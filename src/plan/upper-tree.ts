/**
 * The merged tree as far as the upper layers of an image determine it, for finding single paths without reading the
 * layers below.
 *
 * What an upper layer means may depend on those below it: its entry `lib/x` is in `usr/lib` if `lib` is a symbolic link
 * in a lower layer. So an entry counts only if every directory on its way is also described by an upper layer; if one
 * is not, all these layers depend on the next lower one. What is in the tree then is what the whole image has there. A
 * name that is not in it may be in a lower layer, unless a marker hides it.
 */
import { OciUnpackError } from '../errors.ts'
import type { ByteString } from '../bytes.ts'
import { fold } from './fold.ts'
import { baseName, parentPath } from './names.ts'
import type { StagedEntry } from './staged-entry.ts'
import { INDEXED_NODES, newTree, resolve, type Directory, type MergedTree } from './tree.ts'

export class UpperTree {
  readonly tree: MergedTree = newTree(INDEXED_NODES)
  /** Directories to which lower layers add nothing. */
  private readonly closed = new Set<Directory>()
  /** Names for which lower layers are hidden. */
  private readonly erased = new Map<Directory, Set<ByteString>>()

  /**
   * Adds an entry; those of the upper layers must come bottom to top. False if its meaning depends on a lower layer:
   * the tree is useless then.
   */
  add(layer: number, entry: StagedEntry): boolean {
    try {
      return this.isOnItsOwn(entry) && this.fold(layer, entry)
    } catch (error) {
      // a loop of links, or a link to nothing: a lower layer may resolve it
      if (error instanceof OciUnpackError && error.code === 'ENTRY_INVALID') return false
      throw error
    }
  }

  /** Whether a lower layer may have something at a name that is not in the tree. */
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

  /** Keeps what the same layer has put there, but hides everything from below. */
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
