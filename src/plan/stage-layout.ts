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

export class StageLayout {
  private readonly directories = new Set<ByteString>([''])
  private readonly leaves = new Set<ByteString>()
  private spilled = 0

  /** Makes room for a file, link or special file. `makeDirectory` is called for each new parent, top down. */
  placeLeaf(path: ByteString, makeDirectory: (path: ByteString) => void): number {
    if (!this.directories.has(path) && !this.leaves.has(path)) {
      if (this.ensureDirectory(parentPath(path), makeDirectory)) {
        this.leaves.add(path)
        return STAGED_IN_TREE
      }
    }
    this.spilled += 1
    return this.spilled
  }

  /** Makes a directory if it fits into the literal tree; otherwise the planner makes one when needed. */
  placeDirectory(path: ByteString, makeDirectory: (path: ByteString) => void): number {
    return this.ensureDirectory(path, makeDirectory) ? STAGED_IN_TREE : STAGED_NOWHERE
  }

  private ensureDirectory(path: ByteString, makeDirectory: (path: ByteString) => void): boolean {
    if (this.directories.has(path)) return true
    if (this.leaves.has(path)) return false
    if (!this.ensureDirectory(parentPath(path), makeDirectory)) return false
    this.directories.add(path)
    makeDirectory(path)
    return true
  }
}
