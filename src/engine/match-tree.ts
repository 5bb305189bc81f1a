/**
 * Which entry of a manifest belongs to which object of a tree. Both come in the same order, so that one walk over both
 * finds nearly all; a map of all paths would cost more than the comparison.
 */
import type { ByteString } from '../bytes.ts'
import { compareManifestOrder, type ManifestEntry } from '../mtree/entry.ts'
import type { ScannedObject, ScannedTree } from '../rootfs/scanned-tree.ts'

const NONE = -1

export class TreeMatch {
  private readonly tree: ScannedTree
  private readonly entries: readonly ManifestEntry[]
  /** Index of the entry, by the object's number. */
  private readonly indexes: Int32Array
  private readonly isMatched: Uint8Array
  private next = 0

  constructor(tree: ScannedTree, entries: readonly ManifestEntry[]) {
    this.tree = tree
    this.entries = entries
    this.indexes = new Int32Array(tree.size).fill(NONE)
    this.isMatched = new Uint8Array(entries.length)
  }

  /** The entry that belongs to an object, as an index; undefined: none is known. */
  indexOf(object: ScannedObject): number | undefined {
    const index = this.indexes[object.number]!
    return index === NONE ? undefined : index
  }

  /** Looks for the entry of the object that comes next in the manifest's order. */
  advance(object: ScannedObject): number | undefined {
    for (; this.next < this.entries.length; this.next++) {
      const entry = this.entries[this.next]!
      if (entry.path === object.path) {
        this.join(object, this.next)
        return this.next++
      }
      if (compareManifestOrder(placeOf(entry), placeIn(object)) > 0) return undefined
    }
    return undefined
  }

  /**
   * Looks up what is left of the manifest: an object that became a directory or ceased to be one has moved, and
   * other programs may have another order. Of two entries for one path the later one counts. Gives those whose path
   * is not there any more.
   */
  finish(): ManifestEntry[] {
    return this.entries.filter((entry, index) => {
      if (this.isMatched[index] === 1) return false
      const object = this.tree.find(entry.path)
      if (object !== undefined) this.join(object, index)
      return object === undefined
    })
  }

  private join(object: ScannedObject, index: number): void {
    const before = this.indexes[object.number]!
    if (before < index) this.indexes[object.number] = index
    this.isMatched[index] = 1
  }
}

function placeOf({ path, type }: ManifestEntry): { path: ByteString; isDirectory: boolean } {
  return { path, isDirectory: type === 'dir' }
}

function placeIn({ path, type }: ScannedObject): { path: ByteString; isDirectory: boolean } {
  return { path, isDirectory: type === 'directory' }
}
