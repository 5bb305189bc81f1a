/** What an upgrade comes to: the steps to take, what is kept, and who wins each conflict. Pure. */
import { compareBytes, type ByteString } from '../../bytes.ts'
import { baseName, joinPath, parentPath } from '../names.ts'
import type { Sides, ThreeTrees } from './three-trees.ts'

/** Who wins a conflict: the bundle; the new image; or the bundle, with what the image has beside it. */
export type Resolution = 'keep' | 'new' | 'both'

/** Undefined if no rule is about the path. */
export type Resolve = (path: ByteString) => Resolution | undefined

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

/** Grows while the trees are visited. */
export class GrowingPlan<Seen> {
  private readonly trees: ThreeTrees<Seen>
  private readonly resolve: Resolve
  private readonly steps: MergeStep[] = []
  private readonly kept: KeptChange[] = []
  private readonly conflicts: MergeConflict[] = []
  private readonly originals = new Set<ByteString>()

  constructor(trees: ThreeTrees<Seen>, resolve: Resolve) {
    this.trees = trees
    this.resolve = resolve
  }

  sorted(): MergePlan {
    const byPath = (a: { path: ByteString }, b: { path: ByteString }): number =>
      compareBytes(a.path, b.path)
    return {
      steps: this.steps.sort(byPath),
      kept: this.kept.sort(byPath),
      conflicts: this.conflicts.sort(byPath)
    }
  }

  get stepCount(): number {
    return this.steps.length
  }

  /** The object alone, without what is in it. */
  keepOne(path: ByteString, isGone: boolean): void {
    this.keep(path, 'modified', isGone)
    this.write(path)
  }

  keepWhole(path: ByteString, { before, after, image }: Sides<Seen>): void {
    if (after === undefined) {
      this.keep(path, 'deleted')
      this.remove(path, image)
      return
    }
    this.keep(path, kindOf(before, after))
    for (const each of this.writeWhole(path, after)) if (each !== path) this.keep(each, 'added')
  }

  /** Of two directories that are merged by names, or of one that is gone from the image. */
  settleOne(path: ByteString, sides: Sides<Seen>): void {
    if (this.settle(path, sides) !== 'new') this.write(path)
  }

  settleWhole(path: ByteString, sides: Sides<Seen>): void {
    if (this.settle(path, sides) === 'new') return
    if (sides.after === undefined) this.remove(path, sides.image)
    else this.writeWhole(path, sides.after)
  }

  /** Notes a conflict. An unsettled one has no steps, and the caller makes nothing. */
  private settle(path: ByteString, { before, after, image }: Sides<Seen>): Resolution {
    const resolution = this.resolve(path)
    const isBeside =
      resolution === 'both' && image !== undefined && !this.trees.areDirectories(after, image)
    const original = isBeside ? this.freeName(path) : undefined
    const local = kindOf(before, after)
    this.conflicts.push({ path, local, image: kindOf(before, image), resolution, original })
    if (original !== undefined) this.writeOriginal(original, path)
    return resolution ?? 'new'
  }

  /** Never one that the bundle or the image has. */
  private freeName(path: ByteString): ByteString {
    for (let count = 0; ; count++) {
      const end = count === 0 ? '.orig' : `.orig.${count}`
      const name = baseName(path).slice(0, MAX_NAME_BYTES - end.length) + end
      const free = joinPath(parentPath(path), name)
      if (this.originals.has(free) || this.trees.isTaken(free)) continue
      this.originals.add(free)
      return free
    }
  }

  private keep(path: ByteString, kind: ChangeKind, isGone = false): void {
    this.kept.push({ path, kind, isGone })
  }

  private write(path: ByteString): void {
    this.steps.push({ kind: 'write', path })
  }

  /** Returns all paths that are written. */
  private writeWhole(path: ByteString, after: Seen): ByteString[] {
    const paths = this.trees.localPathsBelow(path, after)
    for (const each of paths) this.write(each)
    return paths
  }

  private writeOriginal(name: ByteString, path: ByteString): void {
    for (const from of this.trees.imagePathsBelow(path)) {
      const beside = name + from.slice(path.length)
      this.steps.push({ kind: 'original', path: beside, from })
    }
  }

  private remove(path: ByteString, image: Seen | undefined): void {
    if (image !== undefined) this.steps.push({ kind: 'delete', path })
  }
}

/** NAME_MAX of Linux. */
const MAX_NAME_BYTES = 255

function kindOf(before: unknown, after: unknown): ChangeKind {
  if (before === undefined) return 'added'
  return after === undefined ? 'deleted' : 'modified'
}
