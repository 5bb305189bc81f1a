/** The three sides of a path (in the old image, in the bundle now, in the new image), and whether they are the same. Pure. */
import type { ByteString } from '../../bytes.ts'
import { joinPath } from '../names.ts'
import { changesBelow, type ChangedNode } from './changed-tree.ts'

/** One tree, to be asked for paths. `''` is its root. */
export interface TreeView<Seen> {
  at(path: ByteString): Seen | undefined
  /** The names in a directory, in any order. */
  names(path: ByteString): readonly ByteString[]
}

export interface TreesInput<Seen> {
  /** The bundle now. */
  local: TreeView<Seen>
  /** The new image. */
  image: TreeView<Seen>
  isDirectory: (seen: Seen) => boolean
  /** Whether two objects are the same except for their times and, if they are directories, for what is in them. */
  isSame: (one: Seen, other: Seen) => boolean
}

export interface Sides<Seen> {
  before: Seen | undefined
  after: Seen | undefined
  image: Seen | undefined
}

export class ThreeTrees<Seen> {
  private readonly input: TreesInput<Seen>

  constructor(input: TreesInput<Seen>) {
    this.input = input
  }

  /** Without a change of its own, a path is as it was. */
  sidesOf({ path, change }: ChangedNode<Seen>): Sides<Seen> {
    const unchanged = change === undefined ? this.input.local.at(path) : undefined
    const { before, after } = change ?? { before: unchanged, after: unchanged }
    return { before, after, image: this.input.image.at(path) }
  }

  /** Times apart. */
  isLocallySame(node: ChangedNode<Seen>, { before, after }: Sides<Seen>): boolean {
    if (!this.areDirectories(before, after)) return this.isSameLeaf(before, after)
    for (const change of changesBelow(node))
      if (!this.isSame(change.before, change.after)) return false
    return true
  }

  /** Of a directory that the bundle no longer has, everything is among the changes. */
  isSameInImage(node: ChangedNode<Seen>, { before, after, image }: Sides<Seen>): boolean {
    if (!this.areDirectories(before, image)) return this.isSameLeaf(before, image)
    if (this.isDirectory(after)) return false
    const olds = new Map([...changesBelow(node)].map(({ path, before }) => [path, before]))
    const paths = this.imagePathsBelow(node.path)
    const count = [...olds.values()].filter((old) => old !== undefined).length
    return (
      paths.length === count &&
      paths.every((path) => this.isSame(olds.get(path), this.input.image.at(path)))
    )
  }

  /** Directories are never the same here: what is in them would have to be compared. */
  isSameLeaf(one: Seen | undefined, other: Seen | undefined): boolean {
    return !this.isDirectory(one) && !this.isDirectory(other) && this.isSame(one, other)
  }

  isSame(one: Seen | undefined, other: Seen | undefined): boolean {
    if (one === undefined || other === undefined) return one === other
    return this.input.isSame(one, other)
  }

  areDirectories(one: Seen | undefined, other: Seen | undefined): boolean {
    return this.isDirectory(one) && this.isDirectory(other)
  }

  isDirectory(seen: Seen | undefined): boolean {
    return seen !== undefined && this.input.isDirectory(seen)
  }

  isTaken(path: ByteString): boolean {
    return this.input.local.at(path) !== undefined || this.input.image.at(path) !== undefined
  }

  /** The path itself and, if it is a directory, everything below it. */
  localPathsBelow(path: ByteString, seen: Seen): ByteString[] {
    return [...this.pathsBelow(this.input.local, path, seen)]
  }

  /** @param path where the image has something */
  imagePathsBelow(path: ByteString): ByteString[] {
    return [...this.pathsBelow(this.input.image, path, this.input.image.at(path)!)]
  }

  private *pathsBelow(view: TreeView<Seen>, path: ByteString, seen: Seen): Generator<ByteString> {
    yield path
    if (!this.isDirectory(seen)) return
    for (const name of view.names(path)) {
      const below = joinPath(path, name)
      yield* this.pathsBelow(view, below, view.at(below)!)
    }
  }
}
