/**
 * What changed in a tree since it was remembered. Pure: this only decides, step by step, and the caller looks at the
 * disk for what is needed.
 *
 * 1. Created from a tree, it has the `suspects`: all objects except those that certainly have not changed.
 * 2. `compare` takes each of them, with what a tree manifest would list for it now.
 * 3. `settle` then takes the digests of the `undecided` files, which only their content can decide; it also takes those that
 *    they had, where the tree manifest does not state them.
 * 4. `deltas` is what changed.
 */
import { compareBytes, type ByteString } from '../bytes.ts'
import type { Delta } from '../mtree/compare.ts'
import type { MtreeEntry } from '../mtree/entry.ts'
import { added, compareContent, compareListed, compareRecords, modified } from './compare-object.ts'
import { regroupedLinks } from './link-groups.ts'
import type { SeenObject, SeenTree, TreeMemory } from './seen-tree.ts'
import { TreeMatch, type Missing } from './tree-match.ts'

/** A file whose content has to decide. */
interface Undecided {
  path: ByteString
  /** Bytes. */
  size: number
  /** Of its entry. */
  index: number
  /** Whether the tree manifest states its digest. */
  isStated: boolean
}

export class TreeChanges<Seen extends SeenObject> {
  /** In the order of the tree manifest. */
  readonly suspects: readonly Seen[]
  /** Every object that has several names, once for each name; no directories. */
  readonly linked: readonly Seen[]
  /** Files that are unchanged except perhaps in content. */
  readonly undecided: Undecided[] = []
  /** What is certain so far, apart from what no longer exists and from other names of unchanged files. */
  readonly found: Delta[] = []
  private readonly tree: SeenTree<Seen>
  private readonly memory: TreeMemory<Seen>
  private readonly match: TreeMatch<Seen>
  /** The entries of objects that no longer exist. */
  private readonly missing: readonly Missing[]
  private readonly isCopy: boolean

  constructor(tree: SeenTree<Seen>, memory: TreeMemory<Seen>) {
    this.tree = tree
    this.memory = memory
    const { indexes, others, linked } = memory.sift(tree)
    this.match = new TreeMatch(tree, memory.entries, indexes)
    for (const object of others) this.match.advance(object)
    this.missing = this.match.finish()
    this.suspects = others.filter((object) => !this.isUnchanged(object))
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
    else if (after.type === 'file') this.leaveUndecided(before, after, index)
  }

  /** An empty file that was empty needs no digest. */
  private leaveUndecided(before: MtreeEntry, { path, size = 0 }: MtreeEntry, index: number): void {
    const isStated = before.sha256 !== undefined
    if (isStated || size > 0) this.undecided.push({ path, size, index, isStated })
  }

  /**
   * @param digests SHA-256 (hex) of the files, in their order
   * @param unstated by path, the digests of those that the tree manifest does not state, as far as they are known
   * @param files those of the undecided that this is about; all by default
   */
  settle(
    digests: readonly string[],
    unstated: ReadonlyMap<ByteString, string>,
    files: readonly Undecided[] = this.undecided
  ): void {
    for (const [at, { path, index }] of files.entries()) {
      const entry = this.memory.entries.entry(index)
      const before = { ...entry, sha256: entry.sha256 ?? unstated.get(path) }
      const delta = compareContent(before, digests[at]!)
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
      .filter(({ path }) => isLooked(path))
      .map(({ index, path }) => {
        const before = { type: entries.entry(index).type }
        return { kind: 'missing', path, before }
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
