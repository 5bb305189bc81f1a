/**
 * The whole semantics of layers, as a reducer: one entry of one layer changes the merged tree.
 * Follows image-spec layer.md; where it is silent, umoci (parents, replacement, links, whiteouts).
 */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { LayerChanges } from './changes.ts'
import { baseName, parentPath } from './names.ts'
import type { StagedEntry } from './staged-entry.ts'
import {
  findDirectory,
  newDirectory,
  newInode,
  resolve,
  touch,
  type Directory,
  type Inode,
  type Leaf,
  type Node
} from './tree.ts'

export interface FoldOptions {
  /** A directory entry over a symbolic link that leads to a directory keeps the link (umoci's --keep-dirlinks). */
  keepDirlinks: boolean
  /** Where to write down what the layer takes from those below; only layers in directories of their own need it. */
  changes?: LayerChanges
}

/** Applies one entry of layer number `layer`. Gives the inode when the entry brought a new one. */
export function fold(
  root: Directory,
  layer: number,
  entry: StagedEntry,
  options: FoldOptions
): Inode | undefined {
  const { keepDirlinks, changes } = options
  const folding = { root, layer, keepDirlinks, changes }
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

/** What an entry is applied to. */
interface Folding {
  readonly root: Directory
  readonly layer: number
  readonly keepDirlinks: boolean
  readonly changes: LayerChanges | undefined
}

function foldWhiteout(folding: Folding, path: ByteString): void {
  const directory = whereErased(folding.root, parentPath(path), path)
  if (directory !== undefined) clearName(folding, directory, baseName(path))
}

function foldOpaque(folding: Folding, path: ByteString): void {
  const directory = whereErased(folding.root, path, path)
  if (directory !== undefined) clearDirectory(folding, directory)
}

/** The directory at a path, if it exists. In what is mounted nobody has looked: there may be `victim`. */
function whereErased(root: Directory, path: ByteString, victim: ByteString): Directory | undefined {
  const { directory, missing } = resolve(root, path)
  if (directory.mount !== undefined) directory.mount.erased ??= victim
  return missing.length === 0 ? directory : undefined
}

function clearDirectory(folding: Folding, directory: Directory): void {
  folding.changes?.clear(directory)
  for (const name of directory.children.keys()) clearName(folding, directory, name)
}

/** Removes a name and all below it, except what this layer itself has written, in whichever order. */
function clearName(folding: Folding, directory: Directory, name: ByteString): void {
  const node = directory.children.get(name)
  if (node === undefined) return
  if (node.touched !== folding.layer) remove(folding, directory, name)
  else if (node.kind === 'directory') clearDirectory(folding, node)
}

function foldDirectory(folding: Folding, entry: StagedEntry): void {
  const { root, layer } = folding
  if (entry.path === '') {
    describe(root, entry)
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
    redescribe(present.inode, entry)
    present.touched = layer
    touch(parent, layer)
    return
  }
  const directory = present?.kind === 'directory' ? present : makeDirectory(folding, parent, name)
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

function foldLeaf(folding: Folding, entry: StagedEntry): Inode {
  const parent = parentForLeaf(folding, entry)
  const name = baseName(entry.path)
  const inode = newInode(entry, name)
  setLeaf(folding, parent, name, inode)
  return inode
}

function foldHardlink(folding: Folding, entry: StagedEntry): void {
  const parent = parentForLeaf(folding, entry)
  const name = baseName(entry.path)
  remove(folding, parent, name)
  setLeaf(folding, parent, name, linkTarget(folding.root, entry).inode)
}

function parentForLeaf(folding: Folding, entry: StagedEntry): Directory {
  if (entry.path === '')
    throw new OciUnpackError('ENTRY_INVALID', 'The root of an image must be a directory.', {
      facts: { entry: '/', found: entry.type },
      hint: 'The layer is damaged or hostile (compare CVE-2021-29136).'
    })
  return makeParents(folding, entry.path)
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

function setLeaf(folding: Folding, parent: Directory, name: ByteString, inode: Inode): void {
  put(folding, parent, name, { kind: 'leaf', inode, touched: folding.layer })
  touch(parent, folding.layer)
}

/** The directory that holds `path`, with whatever is missing or not a directory made into one. */
function makeParents(folding: Folding, path: ByteString): Directory {
  const { directory, missing } = resolve(folding.root, parentPath(path))
  let parent = directory
  for (const name of missing) {
    parent = makeDirectory(folding, parent, name)
    touch(parent, folding.layer)
  }
  return parent
}

function makeDirectory(folding: Folding, parent: Directory, name: ByteString): Directory {
  const directory = newDirectory(parent, name)
  put(folding, parent, name, directory)
  return directory
}

function put({ changes }: Folding, directory: Directory, name: ByteString, node: Node): void {
  changes?.note(directory, name)
  directory.children.set(name, node)
}

function remove({ changes }: Folding, directory: Directory, name: ByteString): void {
  changes?.note(directory, name)
  directory.children.delete(name)
}
