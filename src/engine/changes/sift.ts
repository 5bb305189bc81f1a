/** The objects of a tree that may have changed, sifted from the many that surely did not. */
import type { Memory } from '../../bundle/bundle.ts'
import { fileStat } from '../../bundle/file-stat.ts'
import type { ScannedObject } from '../../rootfs/scanned-object.ts'
import type { ScannedTree } from '../../rootfs/scanned-tree.ts'
import { TreeMatch } from '../tree/match-tree.ts'

export interface Sifted {
  /** Which entry of the manifest belongs to an object. */
  match: TreeMatch
  /** In the manifest's order. */
  suspects: readonly ScannedObject[]
  /** Everything but directories that has several names, once for each. */
  linked: readonly ScannedObject[]
  /** Entries of what is not there any more, as indexes. */
  missing: readonly number[]
}

export function sift(tree: ScannedTree, memory: Memory): Sifted {
  const match = new TreeMatch(tree, memory.entries)
  const suspects: ScannedObject[] = []
  const linked: ScannedObject[] = []
  for (const object of tree.inManifestOrder()) {
    match.advance(object)
    const { type, nlink } = object.status
    if (type !== 'directory' && nlink > 1) linked.push(object)
    if (!isUnchanged(object, match, memory)) suspects.push(object)
  }
  const missing = match.finish()
  // Now more of them may have an entry.
  return {
    match,
    suspects: suspects.filter((it) => !isUnchanged(it, match, memory)),
    linked,
    missing
  }
}

function isUnchanged(object: ScannedObject, match: TreeMatch, memory: Memory): boolean {
  const index = match.indexOf(object)
  return index !== undefined && memory.isUnchanged(index, fileStat(object.status, object.unlisted))
}
