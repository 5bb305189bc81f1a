/**
 * The three-way merge of an upgrade: what was changed in a bundle since it was unpacked is carried to a tree of the new
 * image. Pure.
 *
 * Each path is compared on three sides: in the old image (`before`), in the bundle now (`after`) and in the new image. If
 * only one side changed it, that side counts; if both made the same of it, there is nothing to do; otherwise it is a
 * conflict, and only a rule of the caller decides. Times do not count as a change of the image.
 *
 * What is a directory on one side and not on another cannot be merged by names, so it is compared as a whole, with
 * everything below it.
 */
import { compareBytes, type ByteString } from '../../bytes.ts'
import { joinPath, parentPath, baseName } from '../names.ts'
import { changedTree, changesBelow, type ChangedNode, type LocalChange } from './changed-tree.ts'

/** Who wins a conflict: the bundle; the new image; or the bundle, with what the image has beside it. */
export type Resolution = 'keep' | 'new' | 'both'

/** One tree, to be asked for paths. `''` is its root. */
export interface TreeView<Seen> {
  at(path: ByteString): Seen | undefined
  /** The names in a directory, in any order. */
  names(path: ByteString): readonly ByteString[]
}

export interface MergeInput<Seen> {
  /**
   * Every path of the bundle that is not as in the old image, also if only times differ. Everything in a deleted
   * directory is listed.
   */
  changes: Iterable<LocalChange<Seen>>
  /** The bundle now. */
  local: TreeView<Seen>
  /** The new image. */
  image: TreeView<Seen>
  isDirectory: (seen: Seen) => boolean
  /** Whether two objects are the same except for their times and, if they are directories, for what is in them. */
  isSame: (one: Seen, other: Seen) => boolean
  /** Undefined if no rule is about the path. */
  resolve: (path: ByteString) => Resolution | undefined
}

export type ChangeKind = 'added' | 'modified' | 'deleted'

/** A local change that the new bundle has, too. */
export interface KeptChange {
  path: ByteString
  kind: ChangeKind
  /** Whether this is a directory that the new image no longer has, kept for what is in it. */
  isGone: boolean
}

/** A path that both the bundle and the image have changed. */
export interface MergeConflict {
  path: ByteString
  local: ChangeKind
  image: ChangeKind
  resolution: Resolution | undefined
  /** With `both`: where the object of the image is. */
  original: ByteString | undefined
}

/** What turns the tree of the new image into the upgraded one. */
export type MergeStep =
  /** Take the object of the bundle. */
  | { kind: 'write'; path: ByteString }
  | { kind: 'delete'; path: ByteString }
  /** Take the object that the image has at `from`. */
  | { kind: 'original'; path: ByteString; from: ByteString }

export interface MergePlan {
  /** All lists are sorted by path. */
  steps: readonly MergeStep[]
  kept: readonly KeptChange[]
  conflicts: readonly MergeConflict[]
}

/** Conflicts without a resolution have no steps. */
export function mergeTrees<Seen>(input: MergeInput<Seen>): MergePlan {
  return new TreeMerge(input).plan()
}

interface Sides<Seen> {
  before: Seen | undefined
  after: Seen | undefined
  image: Seen | undefined
}

class TreeMerge<Seen> {
  private readonly input: MergeInput<Seen>
  private readonly steps: MergeStep[] = []
  private readonly kept: KeptChange[] = []
  private readonly conflicts: MergeConflict[] = []
  private readonly originals = new Set<ByteString>()

  constructor(input: MergeInput<Seen>) {
    this.input = input
  }

  plan(): MergePlan {
    this.visit(changedTree(this.input.changes))
    const byPath = (a: { path: ByteString }, b: { path: ByteString }): number =>
      compareBytes(a.path, b.path)
    return {
      steps: this.steps.sort(byPath),
      kept: this.kept.sort(byPath),
      conflicts: this.conflicts.sort(byPath)
    }
  }

  private visit(node: ChangedNode<Seen>): void {
    const sides = this.sidesOf(node)
    const { before, after, image } = sides
    if (this.isDirectory(image) && (node.change === undefined || this.isDirectory(after)))
      this.mergeDirectory(node, sides)
    else if (this.isDirectory(before) && this.isDirectory(after) && image === undefined)
      this.mergeDropped(node, sides)
    else this.mergeWhole(node, sides)
  }

  /** Without a change of its own, a path is as it was. */
  private sidesOf({ path, change }: ChangedNode<Seen>): Sides<Seen> {
    const unchanged = change === undefined ? this.input.local.at(path) : undefined
    const { before, after } = change ?? { before: unchanged, after: unchanged }
    return { before, after, image: this.input.image.at(path) }
  }

  private children(node: ChangedNode<Seen>): void {
    for (const child of node.children.values()) this.visit(child)
  }

  /** A directory in the bundle and in the image: only owner, mode and attributes are its own. */
  private mergeDirectory(node: ChangedNode<Seen>, sides: Sides<Seen>): void {
    const { before, after, image } = sides
    if (node.change !== undefined && !this.isSame(before, after) && !this.isSame(after, image)) {
      if (this.isSame(before, image)) this.keepOne(node.path, 'modified')
      else if (this.settle(node.path, sides) !== 'new') this.write(node.path)
    }
    this.children(node)
  }

  /** A directory that the new image no longer has: it stays for what stays in it. */
  private mergeDropped(node: ChangedNode<Seen>, sides: Sides<Seen>): void {
    const { path } = node
    const count = this.steps.length
    this.children(node)
    if (this.steps.length > count) {
      this.kept.push({ path, kind: 'modified', isGone: true })
      this.write(path)
    } else if (!this.isSame(sides.before, sides.after) && this.settle(path, sides) !== 'new')
      this.write(path)
  }

  private mergeWhole(node: ChangedNode<Seen>, sides: Sides<Seen>): void {
    const { before, after, image } = sides
    if (this.isLocallySame(node, sides)) {
      const isTouched = node.change !== undefined && !this.isDirectory(after)
      if (isTouched && this.isSame(before, image)) this.keepOne(node.path, 'modified')
    } else if (this.isSameInImage(node, sides)) this.keepWhole(node.path, sides)
    else if (!this.isSameLeaf(after, image)) this.mergeConflicting(node.path, sides)
  }

  private mergeConflicting(path: ByteString, sides: Sides<Seen>): void {
    const resolution = this.settle(path, sides)
    if (resolution === 'new') return
    if (sides.after === undefined) this.remove(path, sides)
    else this.writeWhole(path, sides.after)
  }

  /** Notes a conflict. An unsettled one has no steps, and the caller makes nothing. */
  private settle(path: ByteString, sides: Sides<Seen>): Resolution {
    const { before, after, image } = sides
    const resolution = this.input.resolve(path)
    const isBeside = resolution === 'both' && image !== undefined
    const original =
      isBeside && !this.areDirectories(after, image) ? this.freeName(path) : undefined
    const local = kindOf(before, after)
    this.conflicts.push({ path, local, image: kindOf(before, image), resolution, original })
    if (original !== undefined) this.writeOriginal(original, path, image!)
    return resolution ?? 'new'
  }

  /** Of two directories, only one can have the name. */
  private areDirectories(one: Seen | undefined, other: Seen | undefined): boolean {
    return this.isDirectory(one) && this.isDirectory(other)
  }

  private keepOne(path: ByteString, kind: ChangeKind): void {
    this.kept.push({ path, kind, isGone: false })
    this.write(path)
  }

  private keepWhole(path: ByteString, sides: Sides<Seen>): void {
    const { before, after } = sides
    if (after === undefined) {
      this.kept.push({ path, kind: 'deleted', isGone: false })
      this.remove(path, sides)
      return
    }
    const paths = this.writeWhole(path, after)
    const [top, ...below] = paths
    this.kept.push({ path: top!, kind: kindOf(before, after), isGone: false })
    for (const each of below) this.kept.push({ path: each, kind: 'added', isGone: false })
  }

  private remove(path: ByteString, { image }: Sides<Seen>): void {
    if (image !== undefined) this.steps.push({ kind: 'delete', path })
  }

  private write(path: ByteString): void {
    this.steps.push({ kind: 'write', path })
  }

  /** Returns all paths that are written. */
  private writeWhole(path: ByteString, after: Seen): ByteString[] {
    const paths = [...pathsBelow(this.input.local, path, after, this.input.isDirectory)]
    for (const each of paths) this.write(each)
    return paths
  }

  private writeOriginal(name: ByteString, path: ByteString, image: Seen): void {
    for (const from of pathsBelow(this.input.image, path, image, this.input.isDirectory)) {
      const beside = name + from.slice(path.length)
      this.steps.push({ kind: 'original', path: beside, from })
    }
  }

  /** Never one that the bundle or the image has. */
  private freeName(path: ByteString): ByteString {
    const { local, image } = this.input
    for (let count = 0; ; count++) {
      const end = count === 0 ? '.orig' : `.orig.${count}`
      const name = baseName(path).slice(0, MAX_NAME_BYTES - end.length) + end
      const free = joinPath(parentPath(path), name)
      const isTaken = this.originals.has(free) || local.at(free) !== undefined
      if (isTaken || image.at(free) !== undefined) continue
      this.originals.add(free)
      return free
    }
  }

  /** Times apart. */
  private isLocallySame(node: ChangedNode<Seen>, { before, after }: Sides<Seen>): boolean {
    if (!this.areDirectories(before, after)) return this.isSameLeaf(before, after)
    for (const change of changesBelow(node))
      if (!this.isSame(change.before, change.after)) return false
    return true
  }

  /** Of a directory that the bundle no longer has, everything is among the changes. */
  private isSameInImage(node: ChangedNode<Seen>, { before, after, image }: Sides<Seen>): boolean {
    if (!this.areDirectories(before, image)) return this.isSameLeaf(before, image)
    if (this.isDirectory(after)) return false
    const olds = new Map([...changesBelow(node)].map(({ path, before }) => [path, before]))
    const paths = [...pathsBelow(this.input.image, node.path, image!, this.input.isDirectory)]
    const count = [...olds.values()].filter((old) => old !== undefined).length
    return (
      paths.length === count &&
      paths.every((path) => this.isSame(olds.get(path), this.input.image.at(path)))
    )
  }

  /** Directories are never the same here: what is in them would have to be compared. */
  private isSameLeaf(one: Seen | undefined, other: Seen | undefined): boolean {
    return !this.isDirectory(one) && !this.isDirectory(other) && this.isSame(one, other)
  }

  private isSame(one: Seen | undefined, other: Seen | undefined): boolean {
    if (one === undefined || other === undefined) return one === other
    return this.input.isSame(one, other)
  }

  private isDirectory(seen: Seen | undefined): boolean {
    return seen !== undefined && this.input.isDirectory(seen)
  }
}

/** NAME_MAX of Linux. */
const MAX_NAME_BYTES = 255

function kindOf(before: unknown, after: unknown): ChangeKind {
  if (before === undefined) return 'added'
  return after === undefined ? 'deleted' : 'modified'
}

/** The path itself and, if it is a directory, everything below it. */
function* pathsBelow<Seen>(
  view: TreeView<Seen>,
  path: ByteString,
  seen: Seen,
  isDirectory: (seen: Seen) => boolean
): Generator<ByteString> {
  yield path
  if (!isDirectory(seen)) return
  for (const name of view.names(path)) {
    const below = joinPath(path, name)
    yield* pathsBelow(view, below, view.at(below)!, isDirectory)
  }
}
