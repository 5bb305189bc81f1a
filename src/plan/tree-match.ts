/**
 * Which entry of a tree manifest belongs to which object of a tree. Both are in the same order, so one walk over both
 * finds nearly all; a map of all paths would cost more than the comparison.
 */
import type { ByteString } from '../bytes.ts'
import { compareTreeManifestOrder, type Place } from '../mtree/entry.ts'
import type { EntryList } from '../mtree/entry-list.ts'
import { NONE, type SeenObject, type SeenTree } from './seen-tree.ts'

/** An entry without an object. */
export interface Missing {
  index: number
  path: ByteString
}

export class TreeMatch<Seen extends SeenObject> {
  private readonly tree: SeenTree<Seen>
  private readonly entries: EntryList
  /** Index of the entry, by the object's number. */
  private readonly indexes: Int32Array
  private readonly isMatched: Uint8Array
  private next = 0

  /** @param indexes the entries of objects that are known already, by their numbers; it becomes this object's */
  constructor(
    tree: SeenTree<Seen>,
    entries: EntryList,
    indexes: Int32Array = new Int32Array(tree.size).fill(NONE)
  ) {
    this.tree = tree
    this.entries = entries
    this.indexes = indexes
    this.isMatched = new Uint8Array(entries.count)
    for (const index of indexes) if (index !== NONE) this.isMatched[index] = 1
  }

  /** The entry that belongs to an object, as an index; undefined if there is none. */
  indexOf(object: Seen): number | undefined {
    const index = this.indexes[object.number]!
    return index === NONE ? undefined : index
  }

  /** Looks for the entry of the next object in the order of the tree manifest. */
  advance(object: Seen): void {
    for (; this.next < this.entries.count; this.next++) {
      if (this.isMatched[this.next] === 1) continue
      if (this.entries.path(this.next) === object.path) {
        this.join(object, this.next)
        this.next += 1
        return
      }
      if (compareTreeManifestOrder(this.place(this.next), placeOf(object)) > 0) return
    }
  }

  /**
   * Looks up the remaining entries: an object that became a directory or ceased to be one has another position, and
   * other programs may use another order. Of two entries for one path, the later one counts. Returns the
   * entries whose path no longer exists.
   */
  finish(): Missing[] {
    const missing: Missing[] = []
    for (const [index, isMatched] of this.isMatched.entries()) {
      if (isMatched === 1) continue
      const path = this.entries.path(index)
      const object = this.tree.find(path)
      if (object === undefined) missing.push({ index, path })
      else this.join(object, index)
    }
    return missing
  }

  private place(index: number): Place {
    return { path: this.entries.path(index), isDirectory: this.entries.isDirectory(index) }
  }

  private join(object: Seen, index: number): void {
    const before = this.indexes[object.number]!
    if (before < index) this.indexes[object.number] = index
    this.isMatched[index] = 1
  }
}

function placeOf({ path, type }: SeenObject): Place {
  return { path, isDirectory: type === 'directory' }
}

/** Finds the entries of all objects of a tree. */
export function matchTree<Seen extends SeenObject>(
  tree: SeenTree<Seen>,
  entries: EntryList
): TreeMatch<Seen> {
  const match = new TreeMatch(tree, entries)
  for (const object of tree.inTreeManifestOrder()) match.advance(object)
  match.finish()
  return match
}
