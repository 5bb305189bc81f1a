/** Paths of the merged tree, and what is at and below one, in byte order. */
import { compareBytes, type ByteString } from '../bytes.ts'
import { joinPath } from './names.ts'
import type { Directory, Inode, Node } from './tree.ts'

/** Relative to the root. */
export function pathOfDirectory({ parent, name }: Directory): ByteString {
  return parent === undefined ? '' : joinPath(pathOfDirectory(parent), name)
}

/** A node and everything below it, parents first, names in order. */
export function* nodesFrom(
  node: Node,
  path: ByteString
): Generator<[path: ByteString, node: Node]> {
  yield [path, node]
  if (node.kind === 'leaf') return
  const children = [...node.children].sort(([a], [b]) => compareBytes(a, b))
  for (const [name, child] of children) yield* nodesFrom(child, joinPath(path, name))
}

/** How many names each inode has in a tree. */
export function countNames(root: Directory): Map<Inode, number> {
  const names = new Map<Inode, number>()
  for (const child of root.children.values()) countIn(child, names)
  return names
}

function countIn(node: Node, names: Map<Inode, number>): void {
  if (node.kind === 'leaf') names.set(node.inode, (names.get(node.inode) ?? 0) + 1)
  else for (const child of node.children.values()) countIn(child, names)
}
