/**
 * What changed in a tree since it was remembered. Pure: this only decides, step by step, and the caller looks at the
 * disk for what is needed.
 *
 * 1. Created from a tree, it has the `suspects`: all objects except those that certainly have not changed.
 * 2. `compare` takes each of them, with what a tree manifest would list for it now.
 * 3. `settle` then takes the digests of the `undecided` files, which only their content can decide.
 * 4. `deltas` is what changed.
 */
import { compareBytes, type ByteString } from '../bytes.ts'
import type { Delta } from '../mtree/compare.ts'
import type { MtreeEntry } from '../mtree/entry.ts'
import { added, compareContent, compareListed, compareRecords, modified } from './compare-object.ts'
import { regroupedLinks } from './link-groups.ts'
import type { SeenObject, SeenTree, TreeMemory } from './seen-tree.ts'
import { TreeMatch } from './tree-match.ts'

export class TreeChanges<Seen extends SeenObject> {
  /** In the order of the tree manifest. */
  readonly suspects: readonly Seen[]
  /** Every object that has several names, once for each name; no directories. */
  readonly linked: readonly Seen[]
  /** Files that are unchanged except perhaps in content; `size` in bytes, `index` of their entry. */
  readonly undecided: { path: ByteString; size: number; index: number }[] = []
  private readonly tree: SeenTree<Seen>
  private readonly memory: TreeMemory<Seen>
  private readonly match: TreeMatch<Seen>
  /** Indexes of the entries of objects that no longer exist. */
  private readonly missing: readonly number[]
  private readonly found: Delta[] = []
  private readonly isCopy: boolean

  constructor(tree: SeenTree<Seen>, memory: TreeMemory<Seen>) {
    this.tree = tree
    this.memory = memory
    this.match = new TreeMatch(tree, memory.entries)
    const { suspects, linked } = this.sift()
    this.missing = this.match.finish()
    // More of them may have an entry now.
    this.suspects = suspects.filter((object) => !this.isUnchanged(object))
    this.linked = linked
    this.isCopy = this.wasCopied(tree.root)
  }

  /** @param listed what a tree manifest would list now; called only if that is compared */
  compare(object: Seen, listed: () => MtreeEntry): void {
    const index = this.match.indexOf(object)
    if (index === undefined) {
      this.found.push(added(object))
      return
    }
    const before = this.memory.entries.entry(index)
    const after = listed()
    const { isRootless = false } = this.memory
    const delta =
      compareListed(before, after, isRootless) ?? this.compareRecords(before, object, index)
    if (delta !== undefined) this.found.push(delta)
    else if (after.type === 'file')
      this.undecided.push({ path: after.path, size: after.size ?? 0, index })
  }

  /** @param digests SHA-256 (hex) of the undecided files, in their order */
  settle(digests: readonly string[]): void {
    for (const [at, { index }] of this.undecided.entries()) {
      const delta = compareContent(this.memory.entries.entry(index), digests[at]!)
      if (delta !== undefined) this.found.push(delta)
    }
  }

  /**
   * Sorted by path.
   * @param isLooked whether a path was looked at, if only a part of the tree was: other paths are not reported as
   * missing
   */
  deltas(isLooked: (path: ByteString) => boolean = () => true): Delta[] {
    const found = [...this.gone(isLooked), ...this.found]
    return [...found, ...this.relinked(found)].sort((a, b) => compareBytes(a.path, b.path))
  }

  /** Returns a function that finds the entry, as an index, of an object that certainly has not changed. */
  remembered(): (object: Seen) => number | undefined {
    const isSuspect = new Uint8Array(this.tree.size)
    for (const { number } of this.suspects) isSuspect[number] = 1
    return (object) => (isSuspect[object.number] === 1 ? undefined : this.match.indexOf(object))
  }

  private sift(): { suspects: Seen[]; linked: Seen[] } {
    const suspects: Seen[] = []
    const linked: Seen[] = []
    for (const object of this.tree.inTreeManifestOrder()) {
      this.match.advance(object)
      const { type, nlink } = object.status
      if (type !== 'directory' && nlink > 1) linked.push(object)
      if (!this.isUnchanged(object)) suspects.push(object)
    }
    return { suspects, linked }
  }

  private isUnchanged(object: Seen): boolean {
    const index = this.match.indexOf(object)
    return index !== undefined && this.memory.isUnchanged(index, object)
  }

  private compareRecords(before: MtreeEntry, object: Seen, index: number): Delta | undefined {
    const was = this.memory.record(index)
    if (was === undefined) return undefined
    return compareRecords(before, object, was, this.memory.recordOf(object), this.isCopy)
  }

  /** The root of a copy is another directory. */
  private wasCopied(root: Seen): boolean {
    const index = this.match.indexOf(root)
    const record = index === undefined ? undefined : this.memory.record(index)
    const { device, inode } = root.status
    return this.memory.device !== device || record?.inode !== inode
  }

  private gone(isLooked: (path: ByteString) => boolean): Delta[] {
    const { entries } = this.memory
    return this.missing
      .filter((index) => isLooked(entries.path(index)))
      .map((index) => {
        const before = { type: entries.entry(index).type }
        return { kind: 'missing', path: entries.path(index), before }
      })
  }

  /** Names that are links to other files than before, though each file is unchanged and has as many names as before. */
  private relinked(found: readonly Delta[]): Delta[] {
    const known = this.linked.flatMap((object) => {
      const index = this.match.indexOf(object)
      const before = index === undefined ? undefined : this.memory.record(index)?.inode
      return before === undefined ? [] : { object, index: index!, before: String(before) }
    })
    const names = known.map(({ object: { path, status }, before }) => {
      return { path, before, after: String(status.inode) }
    })
    const changed = new Set(regroupedLinks(names))
    if (changed.size === 0) return []
    for (const { path } of found) changed.delete(path)
    return known
      .filter(({ object }) => changed.has(object.path))
      .map(({ object, index }) =>
        modified(this.memory.entries.entry(index), object, 'hard links', 'others', 'these')
      )
  }
}
