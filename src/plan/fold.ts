/**
 * The whole semantics of layers, as a reducer: one entry of one layer changes the merged tree.
 * Follows image-spec layer.md; where it is silent, umoci (parents, replacement, links, whiteouts).
 */
import { display, ownCopy, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { LayerChanges } from './changes.ts'
import { makeDirectory, makeParents, remove, setLeaf, type Folding } from './folding.ts'
import { baseName, parentPath } from './names.ts'
import type { StagedEntry } from './staged-entry.ts'
import {
  findDirectory,
  resolve,
  touch,
  type Books,
  type Directory,
  type Inode,
  type Leaf,
  type MergedTree,
  type Node
} from './tree.ts'

export interface FoldOptions {
  /** Whether a directory entry keeps an existing symbolic link that leads to a directory (umoci's --keep-dirlinks). */
  keepDirlinks: boolean
  /** Where to record what the layer removes from those below; needed only for layers in their own directories. */
  changes?: LayerChanges
  /** Called before a layer removes something, with the deepest existing directory on the way to it. */
  onErase?: (directory: Directory, victim: ByteString) => void
}

/** Applies one entry of layer number `layer`. Returns the inode if the entry brought a new one. */
export function fold<B extends Books>(
  { root, nodes, recent }: MergedTree<B>,
  layer: number,
  entry: StagedEntry,
  { keepDirlinks, changes, onErase }: FoldOptions
): Inode<B> | undefined {
  const folding: Folding<B> = { root, nodes, recent, layer, keepDirlinks, changes, onErase }
  switch (entry.type) {
    case 'whiteout':
      foldWhiteout(folding, entry.path)
      return undefined
    case 'opaque':
      foldOpaque(folding, entry.path)
      return undefined
    case 'directory':
      foldDirectory(folding, entry)
      return undefined
    case 'hardlink':
      foldHardlink(folding, entry)
      return undefined
    case 'file':
    case 'symlink':
    case 'char':
    case 'block':
    case 'fifo':
      return foldLeaf(folding, entry)
  }
}

function foldWhiteout<B extends Books>(folding: Folding<B>, path: ByteString): void {
  const directory = whereErased(folding, parentPath(path), path)
  if (directory !== undefined) clearName(folding, directory, baseName(path))
}

function foldOpaque<B extends Books>(folding: Folding<B>, path: ByteString): void {
  const directory = whereErased(folding, path, path)
  if (directory !== undefined) clearDirectory(folding, directory)
}

/** The directory at a path, if it exists. */
function whereErased<B extends Books>(
  { root, onErase }: Folding<B>,
  path: ByteString,
  victim: ByteString
): Directory<B> | undefined {
  const { directory, missing } = resolve(root, path)
  onErase?.(directory, victim)
  return missing.length === 0 ? directory : undefined
}

function clearDirectory<B extends Books>(folding: Folding<B>, directory: Directory<B>): void {
  folding.changes?.clear(directory)
  for (const name of directory.children.keys()) clearName(folding, directory, name)
}

/** Removes a name and everything below it, except what this layer itself has written, in whatever order. */
function clearName<B extends Books>(
  folding: Folding<B>,
  directory: Directory<B>,
  name: ByteString
): void {
  const node = directory.children.get(name)
  if (node === undefined) return
  if (node.touched !== folding.layer) remove(folding, directory, name)
  else if (node.kind === 'directory') clearDirectory(folding, node)
}

function foldDirectory<B extends Books>(folding: Folding<B>, entry: StagedEntry): void {
  const { root, layer } = folding
  if (entry.path === '') {
    root.entry = entry
    touch(root, layer)
    return
  }
  const parent = makeParents(folding, entry.path)
  const name = baseName(entry.path)
  const present = parent.children.get(name)
  if (
    present?.kind === 'leaf' &&
    folding.keepDirlinks &&
    leadsToDirectory(root, entry.path, present)
  ) {
    replaceMetadata(present.inode, entry)
    present.touched = layer
    touch(parent, layer)
    return
  }
  const directory = present?.kind === 'directory' ? present : makeDirectory(folding, parent, name)
  directory.entry = entry
  touch(directory, layer)
}

function leadsToDirectory<B extends Books>(
  root: Directory<B>,
  path: ByteString,
  leaf: Leaf<B>
): boolean {
  if (leaf.inode.type !== 'symlink') return false
  try {
    return findDirectory(root, path) !== undefined
  } catch (error) {
    if (error instanceof OciUnpackError) return false
    throw error
  }
}

/** As in umoci, the kept link gets the directory's owner, attributes and times; a link has no mode. */
function replaceMetadata<B extends Books>(inode: Inode<B>, entry: StagedEntry): void {
  inode.entry = { ...entry, type: inode.type, link: inode.link }
  inode.hasXattrs = entry.xattrs.length > 0
}

function foldLeaf<B extends Books>(folding: Folding<B>, entry: StagedEntry): Inode<B> {
  const parent = parentForLeaf(folding, entry)
  const name = ownCopy(baseName(entry.path))
  const inode = folding.nodes.inode(entry, folding.layer, name)
  setLeaf(folding, parent, name, inode)
  return inode
}

function foldHardlink<B extends Books>(folding: Folding<B>, entry: StagedEntry): void {
  const parent = parentForLeaf(folding, entry)
  const name = baseName(entry.path)
  if (isLinkToItself(folding.root, entry, parent)) return
  remove(folding, parent, name)
  setLeaf(folding, parent, name, linkTarget(folding.root, entry).inode)
}

/** Of an existing file; there is nothing to do, as in GNU tar. */
function isLinkToItself<B extends Books>(
  root: Directory<B>,
  { path, link }: StagedEntry,
  parent: Directory<B>
): boolean {
  const name = baseName(path)
  if (link === '' || baseName(link) !== name) return false
  return (
    parent.children.get(name)?.kind === 'leaf' && findDirectory(root, parentPath(link)) === parent
  )
}

function parentForLeaf<B extends Books>(folding: Folding<B>, entry: StagedEntry): Directory<B> {
  if (entry.path === '')
    throw new OciUnpackError('ENTRY_INVALID', 'The root of an image must be a directory.', {
      facts: { entry: '/', found: entry.type },
      hint: 'The layer or archive is damaged or malicious (compare CVE-2021-29136).'
    })
  return makeParents(folding, entry.path)
}

/** The parent of a target is resolved inside the root; its last component is not followed. */
function linkTarget<B extends Books>(root: Directory<B>, entry: StagedEntry): Leaf<B> {
  const directory = findDirectory(root, parentPath(entry.link))
  const node: Node<B> | undefined =
    entry.link === '' ? root : directory?.children.get(baseName(entry.link))
  if (node?.kind === 'leaf') return node
  const reason = node === undefined ? 'its target does not exist' : 'its target is a directory'
  throw new OciUnpackError('ENTRY_INVALID', 'A hard link cannot be made.', {
    facts: { entry: display(entry.path), path: display(entry.link), reason },
    hint: 'A hard link must come after its target, in the same layer or one below.'
  })
}
