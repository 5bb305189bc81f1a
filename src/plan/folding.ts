/** One entry on its way into the merged tree, and what it may do there. */
import type { ByteString } from '../bytes.ts'
import type { LayerChanges } from './changes.ts'
import { parentPath } from './names.ts'
import {
  resolve,
  touch,
  type Books,
  type Directory,
  type Inode,
  type MergedTree,
  type Node
} from './tree.ts'

/** What an entry is applied to. */
export interface Folding<B extends Books> extends MergedTree<B> {
  readonly layer: number
  readonly keepDirlinks: boolean
  readonly changes: LayerChanges | undefined
  readonly onErase: ((directory: Directory, victim: ByteString) => void) | undefined
}

export function setLeaf<B extends Books>(
  folding: Folding<B>,
  parent: Directory<B>,
  name: ByteString,
  inode: Inode<B>
): void {
  put(folding, parent, name, { kind: 'leaf', inode, touched: folding.layer })
  touch(parent, folding.layer)
}

/** The directory that holds `path`, with whatever is missing or not a directory made into one. */
export function makeParents<B extends Books>(folding: Folding<B>, path: ByteString): Directory<B> {
  const { recent } = folding
  const target = parentPath(path)
  if (recent.directory !== undefined && recent.path === target) return recent.directory
  const { directory, missing, links } = resolve(folding.root, target)
  let parent = directory
  for (const name of missing) {
    parent = makeDirectory(folding, parent, name)
    touch(parent, folding.layer)
  }
  recent.path = target
  recent.directory = links === 0 ? parent : undefined
  return parent
}

export function makeDirectory<B extends Books>(
  folding: Folding<B>,
  parent: Directory<B>,
  name: ByteString
): Directory<B> {
  const directory = folding.nodes.directory(parent, name)
  put(folding, parent, name, directory)
  return directory
}

function put<B extends Books>(
  { changes }: Folding<B>,
  directory: Directory<B>,
  name: ByteString,
  node: Node<B>
): void {
  changes?.note(directory, name)
  directory.children.set(name, node)
}

export function remove<B extends Books>(
  { changes, recent }: Folding<B>,
  directory: Directory<B>,
  name: ByteString
): void {
  changes?.note(directory, name)
  if (directory.children.delete(name)) recent.directory = undefined
}
