/**
 * The layout of one layer's staging directory, defined only here. The entries of a layer mostly form a plain tree: each
 * object is staged in `tree` at its literal path, so that whole subtrees can be renamed into place later. Entries that
 * do not fit into the literal tree (a second entry of the same name, an entry below a file or a symbolic link) go to
 * `spill` under a number; the planner decides what to do with them.
 */
import type { ByteString } from '../bytes.ts'
import { baseName, parentPath } from './names.ts'
import { STAGED_IN_TREE, STAGED_NOWHERE, type StagedEntry } from './staged-entry.ts'

export const STAGED_TREE = 'tree'
export const STAGED_SPILL = 'spill'

/** The directory that contains a staged object (`tree` or `spill`), and a path in it. */
export interface StagedPlace {
  top: typeof STAGED_TREE | typeof STAGED_SPILL
  directory: ByteString
  name: ByteString
}

/** Undefined for an entry that was not staged. */
export function stagedPlace({
  path,
  staged
}: Pick<StagedEntry, 'path' | 'staged'>): StagedPlace | undefined {
  if (staged === STAGED_NOWHERE) return undefined
  return staged === STAGED_IN_TREE
    ? { top: STAGED_TREE, directory: parentPath(path), name: baseName(path) }
    : { top: STAGED_SPILL, directory: '', name: String(staged) }
}

/**
 * What has a name in the literal tree. The file system itself answers for the leaves: there are as many as files in a
 * layer, and to remember them all would take more memory than everything else that staging needs.
 */
export interface LiteralTree {
  /** Makes a directory whose parent is there. False if its name is taken. */
  makeDirectory(path: ByteString): boolean
}

export class StageLayout {
  private readonly tree: LiteralTree
  private readonly directories = new Set<ByteString>([''])
  private spilled = 0

  constructor(tree: LiteralTree) {
    this.tree = tree
  }

  /**
   * Makes room for a file, link or special file, and missing parents, top down.
   * @param make makes it in the literal tree; false if its name is taken
   */
  placeLeaf(path: ByteString, make: () => boolean): number {
    if (this.ensureDirectory(parentPath(path)) && make()) return STAGED_IN_TREE
    this.spilled += 1
    return this.spilled
  }

  /** Makes a directory if it fits into the literal tree; otherwise the planner makes one when needed. */
  placeDirectory(path: ByteString): number {
    return this.ensureDirectory(path) ? STAGED_IN_TREE : STAGED_NOWHERE
  }

  private ensureDirectory(path: ByteString): boolean {
    if (this.directories.has(path)) return true
    if (!this.ensureDirectory(parentPath(path)) || !this.tree.makeDirectory(path)) return false
    this.directories.add(path)
    return true
  }
}
