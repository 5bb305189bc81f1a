/** What was changed in a tree, by directories. Pure. */
import type { ByteString } from '../../bytes.ts'
import { joinPath } from '../names.ts'

/** What became of one path; undefined: nothing was there, or nothing is. */
export interface LocalChange<Seen> {
  /** Relative to the root; `''` for the root itself. */
  path: ByteString
  before: Seen | undefined
  after: Seen | undefined
}

export interface ChangedNode<Seen> {
  path: ByteString
  /** Undefined if only something below was changed. */
  change: LocalChange<Seen> | undefined
  children: ReadonlyMap<ByteString, ChangedNode<Seen>>
}

interface GrowingNode<Seen> extends ChangedNode<Seen> {
  children: Map<ByteString, GrowingNode<Seen>>
}

export function changedTree<Seen>(changes: Iterable<LocalChange<Seen>>): ChangedNode<Seen> {
  const root = newNode<Seen>('')
  for (const change of changes) nodeAt(root, change.path).change = change
  return root
}

function nodeAt<Seen>(root: GrowingNode<Seen>, path: ByteString): GrowingNode<Seen> {
  let node = root
  for (const name of path === '' ? [] : path.split('/')) {
    const child = node.children.get(name) ?? newNode<Seen>(joinPath(node.path, name))
    node.children.set(name, child)
    node = child
  }
  return node
}

function newNode<Seen>(path: ByteString): GrowingNode<Seen> {
  return { path, change: undefined, children: new Map() }
}

/** The node and all below it, with what they changed. */
export function* changesBelow<Seen>(node: ChangedNode<Seen>): Generator<LocalChange<Seen>> {
  if (node.change !== undefined) yield node.change
  for (const child of node.children.values()) yield* changesBelow(child)
}
