/**
 * The whole semantics of layers, as a reducer: one entry of one layer changes the merged tree.
 * Follows image-spec layer.md; where it is silent, umoci (parents, replacement, links, whiteouts).
 */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { baseName, parentPath } from './names.ts'
import type { StagedEntry } from './staged-entry.ts'
import {
  findDirectory,
  newDirectory,
  newInode,
  resolve,
  type Directory,
  type Inode,
  type Leaf,
  type Node
} from './tree.ts'

export interface FoldOptions {
  /** A directory entry over a symbolic link that leads to a directory keeps the link (umoci's --keep-dirlinks). */
  keepDirlinks: boolean
}

/** Applies one entry of layer number `layer`. Gives the inode when the entry brought a new one. */
export function fold(
  root: Directory,
  layer: number,
  entry: StagedEntry,
  options: FoldOptions
): Inode | undefined {
  switch (entry.type) {
    case 'whiteout':
      foldWhiteout(root, layer, entry.path)
      return undefined
    case 'opaque':
      foldOpaque(root, layer, entry.path)
      return undefined
    case 'directory':
      foldDirectory(root, layer, entry, options)
      return undefined
    case 'hardlink':
      foldHardlink(root, layer, entry)
      return undefined
    case 'file':
    case 'symlink':
    case 'char':
    case 'block':
    case 'fifo':
      return foldLeaf(root, layer, entry)
  }
}

function foldWhiteout(root: Directory, layer: number, path: ByteString): void {
  const directory = findDirectory(root, parentPath(path))
  if (directory !== undefined) clearName(directory, baseName(path), layer)
}

function foldOpaque(root: Directory, layer: number, path: ByteString): void {
  const directory = findDirectory(root, path)
  if (directory === undefined) return
  for (const name of directory.children.keys()) clearName(directory, name, layer)
}

/** Removes a name and all below it, except what this layer itself has written, in whichever order. */
function clearName(directory: Directory, name: ByteString, layer: number): void {
  const node = directory.children.get(name)
  if (node === undefined) return
  if (node.touched !== layer) directory.children.delete(name)
  else if (node.kind === 'directory')
    for (const inner of node.children.keys()) clearName(node, inner, layer)
}

function foldDirectory(
  root: Directory,
  layer: number,
  entry: StagedEntry,
  options: FoldOptions
): void {
  if (entry.path === '') {
    describe(root, entry)
    touch(root, layer)
    return
  }
  const parent = makeParents(root, layer, entry.path)
  const name = baseName(entry.path)
  const present = parent.children.get(name)
  if (
    present?.kind === 'leaf' &&
    options.keepDirlinks &&
    leadsToDirectory(root, entry.path, present)
  ) {
    redescribe(present.inode, entry)
    present.touched = layer
    touch(parent, layer)
    return
  }
  const directory = present?.kind === 'directory' ? present : makeDirectory(parent, name)
  describe(directory, entry)
  touch(directory, layer)
}

function describe(directory: Directory, entry: StagedEntry): void {
  directory.entry = entry
  directory.existing = false
}

function leadsToDirectory(root: Directory, path: ByteString, leaf: Leaf): boolean {
  if (leaf.inode.type !== 'symlink') return false
  try {
    return findDirectory(root, path) !== undefined
  } catch (error) {
    if (error instanceof OciUnpackError) return false
    throw error
  }
}

/** umoci gives the kept link the directory's owner, attributes and times; a link has no mode. */
function redescribe(inode: Inode, entry: StagedEntry): void {
  inode.redescribed = { ...entry, type: inode.type, link: inode.link }
  inode.hasXattrs = entry.xattrs.length > 0
}

function foldLeaf(root: Directory, layer: number, entry: StagedEntry): Inode {
  const parent = parentForLeaf(root, layer, entry)
  const name = baseName(entry.path)
  const inode = newInode(entry, name)
  setLeaf(parent, name, inode, layer)
  return inode
}

function foldHardlink(root: Directory, layer: number, entry: StagedEntry): void {
  const parent = parentForLeaf(root, layer, entry)
  const name = baseName(entry.path)
  parent.children.delete(name)
  setLeaf(parent, name, linkTarget(root, entry).inode, layer)
}

function parentForLeaf(root: Directory, layer: number, entry: StagedEntry): Directory {
  if (entry.path === '')
    throw new OciUnpackError('ENTRY_INVALID', 'The root of an image must be a directory.', {
      facts: { entry: '/', found: entry.type },
      hint: 'The layer is damaged or hostile (compare CVE-2021-29136).'
    })
  return makeParents(root, layer, entry.path)
}

/** The parent of a target is resolved inside the root; its last component is not followed. */
function linkTarget(root: Directory, entry: StagedEntry): Leaf {
  const directory = findDirectory(root, parentPath(entry.link))
  const node: Node | undefined =
    entry.link === '' ? root : directory?.children.get(baseName(entry.link))
  if (node?.kind === 'leaf') return node
  const reason = node === undefined ? 'its target does not exist' : 'its target is a directory'
  throw new OciUnpackError('ENTRY_INVALID', 'A hard link cannot be made.', {
    facts: { entry: display(entry.path), path: display(entry.link), reason },
    hint: 'A hard link must come after its target, in the same layer or one below.'
  })
}

function setLeaf(parent: Directory, name: ByteString, inode: Inode, layer: number): void {
  const leaf: Leaf = { kind: 'leaf', inode, touched: layer }
  parent.children.set(name, leaf)
  touch(parent, layer)
}

/** The directory that holds `path`, with whatever is missing or not a directory made into one. */
function makeParents(root: Directory, layer: number, path: ByteString): Directory {
  const { directory, missing } = resolve(root, parentPath(path))
  let parent = directory
  for (const name of missing) {
    parent = makeDirectory(parent, name)
    touch(parent, layer)
  }
  return parent
}

function makeDirectory(parent: Directory, name: ByteString): Directory {
  const directory = newDirectory(parent, name)
  parent.children.set(name, directory)
  return directory
}

/** Ancestors of a touched path are touched already: directories do not move. */
function touch(directory: Directory, layer: number): void {
  for (
    let current: Directory | undefined = directory;
    current !== undefined && current.touched !== layer;
    current = current.parent
  )
    current.touched = layer
}
