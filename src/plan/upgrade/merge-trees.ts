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
import { changedTree, type ChangedNode, type LocalChange } from './changed-tree.ts'
import { GrowingPlan, type MergePlan, type Resolve } from './merge-plan.ts'
import { ThreeTrees, type Sides, type TreesInput } from './three-trees.ts'

export interface MergeInput<Seen> extends TreesInput<Seen> {
  /**
   * Every path of the bundle that is not as in the old image, also if only times differ. Everything in a deleted
   * directory is listed.
   */
  changes: Iterable<LocalChange<Seen>>
  resolve: Resolve
}

/** Conflicts without a resolution have no steps. */
export function mergeTrees<Seen>(input: MergeInput<Seen>): MergePlan {
  return new TreeMerge(input).merge(input.changes)
}

class TreeMerge<Seen> {
  private readonly trees: ThreeTrees<Seen>
  private readonly plan: GrowingPlan<Seen>

  constructor(input: MergeInput<Seen>) {
    this.trees = new ThreeTrees(input)
    this.plan = new GrowingPlan(this.trees, input.resolve)
  }

  merge(changes: Iterable<LocalChange<Seen>>): MergePlan {
    this.visit(changedTree(changes))
    return this.plan.sorted()
  }

  private visit(node: ChangedNode<Seen>): void {
    const sides = this.trees.sidesOf(node)
    const { before, after, image } = sides
    const isStill = node.change === undefined || this.trees.isDirectory(after)
    if (this.trees.isDirectory(image) && isStill) this.mergeDirectory(node, sides)
    else if (this.trees.areDirectories(before, after) && image === undefined)
      this.mergeDropped(node, sides)
    else this.mergeWhole(node, sides)
  }

  private visitChildren(node: ChangedNode<Seen>): void {
    for (const child of node.children.values()) this.visit(child)
  }

  /** A directory in the bundle and in the image: only owner, mode and attributes are its own. */
  private mergeDirectory(node: ChangedNode<Seen>, sides: Sides<Seen>): void {
    const { trees, plan } = this
    const { before, after, image } = sides
    if (node.change !== undefined && !trees.isSame(before, after) && !trees.isSame(after, image)) {
      if (trees.isSame(before, image)) plan.keepOne(node.path, false)
      else plan.settleOne(node.path, sides)
    }
    this.visitChildren(node)
  }

  /** A directory that the new image no longer has: it stays for what stays in it. */
  private mergeDropped(node: ChangedNode<Seen>, sides: Sides<Seen>): void {
    const { trees, plan } = this
    const count = plan.stepCount
    this.visitChildren(node)
    if (plan.stepCount > count) plan.keepOne(node.path, true)
    else if (!trees.isSame(sides.before, sides.after)) plan.settleOne(node.path, sides)
  }

  private mergeWhole(node: ChangedNode<Seen>, sides: Sides<Seen>): void {
    const { trees, plan } = this
    const { before, after, image } = sides
    if (trees.isLocallySame(node, sides)) {
      const isTouched = node.change !== undefined && !trees.isDirectory(after)
      if (isTouched && trees.isSame(before, image)) plan.keepOne(node.path, false)
    } else if (trees.isSameInImage(node, sides)) plan.keepWhole(node.path, sides)
    else if (!trees.isSameLeaf(after, image)) plan.settleWhole(node.path, sides)
  }
}
