/**
 * The merged tree as a value: what the root will contain once all layers are applied. Directories never move, so a
 * parent link is enough; files, links and special files are inodes, which names share.
 *
 * It is made by `fold`, from the entries of staged layers or of indexes alike, and does not depend on a disk. Code that
 * uses a tree for some purpose can keep its own books on the same nodes: a type `Books` says which, and `Nodes` makes
 * nodes that have them. Those of the planner are in `planned-tree.ts`.
 */
import type { ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { MAX_PATH_BYTES, tooLong } from './names.ts'
import type { Unheld } from './policy/metadata-policy.ts'
import type { StagedEntry } from './staged-entry.ts'

/** Number of links in one path after which it counts as a loop, as in umoci. */
const MAX_SYMLINKS = 255

/** What nodes have besides their value; by default nothing. */
export interface Books {
  directory: object
  inode: object
}

export interface DirectoryValue<B extends Books> {
  readonly kind: 'directory'
  readonly parent: Directory<B> | undefined
  readonly name: ByteString
  readonly children: Map<ByteString, Node<B>>
  /** Length of its path in bytes, so that checking the limit on paths is one comparison. */
  readonly pathBytes: number
  /** The entry that its metadata comes from; undefined for a parent that no layer describes. */
  entry: StagedEntry | undefined
  /** The last layer that wrote this path or one below it. Such paths survive that layer's whiteouts. */
  touched: number
}

/** A file, symbolic link or special file; its names are leaves. */
export interface InodeValue {
  readonly kind: 'inode'
  readonly type: StagedEntry['type']
  /** Target of a symbolic link; empty otherwise. */
  readonly link: ByteString
  /** SHA-256 of a file's body as 32 bytes, if digests were requested. */
  sha256: ByteString | undefined
  /** The layer that brought it and contains its body. */
  readonly layer: number
  /** Whether the image gives it extended attributes. */
  hasXattrs: boolean
  /** What its object on disk lacks, unless `entry` says it. */
  unheld: Unheld | undefined
  /**
   * All its metadata, and where its body begins in the tar of its layer. Undefined if an object on disk has the
   * metadata, to save memory: there are as many inodes as files in the image.
   */
  entry: StagedEntry | undefined
}

export interface Leaf<B extends Books = Books> {
  readonly kind: 'leaf'
  readonly inode: Inode<B>
  touched: number
}

export type Directory<B extends Books = Books> = DirectoryValue<B> & B['directory']
export type Inode<B extends Books = Books> = InodeValue & B['inode']
export type Node<B extends Books = Books> = Directory<B> | Leaf<B>

/** Makes the nodes of one tree. */
export interface Nodes<B extends Books = Books> {
  directory(parent: Directory<B> | undefined, name: ByteString): Directory<B>
  /** @param name its first one */
  inode(entry: StagedEntry, layer: number, name: ByteString): Inode<B>
}

export interface MergedTree<B extends Books = Books> {
  readonly root: Directory<B>
  readonly nodes: Nodes<B>
  readonly recent: Recent<B>
}

/**
 * The path that was last made or found without following a link: entries come directory by directory, so the next is
 * often the same.
 */
export interface Recent<B extends Books = Books> {
  path: ByteString
  /** Undefined if a name was removed since then. Whatever replaces a name was itself found by another path. */
  directory: Directory<B> | undefined
}

/** Where a path leads: the deepest existing directory, and the names that are missing below it. */
export interface Resolution<B extends Books = Books> {
  directory: Directory<B>
  missing: ByteString[]
  /** How many symbolic links were followed. */
  links: number
}

export const UNTOUCHED = -1

export function newTree<B extends Books>(nodes: Nodes<B>): MergedTree<B> {
  return { root: nodes.directory(undefined, ''), nodes, recent: { path: '', directory: undefined } }
}

/** Nodes of a tree whose objects are on disk, with their metadata. */
export const STAGED_NODES: Nodes = {
  directory: directoryValue,
  inode: (entry, layer) => inodeValue(entry, layer, undefined)
}

/** Nodes that hold everything that an image says about them. */
export const INDEXED_NODES: Nodes = {
  directory: directoryValue,
  inode: (entry, layer) => inodeValue(entry, layer, entry)
}

function directoryValue(parent: Directory | undefined, name: ByteString): Directory {
  return {
    kind: 'directory',
    parent,
    name,
    children: new Map<ByteString, Node>(),
    pathBytes: pathBytesOf(parent, name),
    entry: undefined,
    touched: UNTOUCHED
  }
}

function inodeValue(entry: StagedEntry, layer: number, metadata: StagedEntry | undefined): Inode {
  return {
    kind: 'inode',
    type: entry.type,
    link: entry.link,
    sha256: entry.sha256,
    layer,
    hasXattrs: entry.xattrs.length > 0,
    unheld: entry.unheld,
    entry: metadata
  }
}

/** The length in bytes of a new directory's path. @throws LIMIT_EXCEEDED */
export function pathBytesOf(parent: Directory | undefined, name: ByteString): number {
  const bytes = parent?.parent === undefined ? name.length : parent.pathBytes + 1 + name.length
  if (bytes <= MAX_PATH_BYTES) return bytes
  throw tooLong(name, `links lead to a path of ${bytes} bytes`, MAX_PATH_BYTES)
}

/**
 * Follows every component, including symbolic links, without ever leaving the root; creates nothing.
 * @throws ENTRY_INVALID if symbolic links form a loop
 */
export function resolve<B extends Books>(root: Directory<B>, path: ByteString): Resolution<B> {
  const found = follow(root, path)
  if (found === undefined) throw symlinkLoop()
  return found
}

/** Undefined if symbolic links form a loop. */
function follow<B extends Books>(root: Directory<B>, path: ByteString): Resolution<B> | undefined {
  let directory = root
  const missing: ByteString[] = []
  const pending = path === '' ? [] : path.split('/').reverse()
  let links = 0
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (missing.pop() === undefined) directory = directory.parent ?? directory
      continue
    }
    const child = missing.length > 0 ? undefined : directory.children.get(name)
    if (child?.kind === 'directory') {
      directory = child
    } else if (child?.inode.type === 'symlink') {
      if (++links > MAX_SYMLINKS) return undefined
      const target = child.inode.link
      if (target.startsWith('/')) directory = root
      pending.push(...target.split('/').reverse())
    } else {
      missing.push(name)
    }
  }
  return { directory, missing, links }
}

function symlinkLoop(): OciUnpackError {
  return new OciUnpackError(
    'ENTRY_INVALID',
    'Symbolic links in the path of an entry form a loop.',
    {
      facts: { reason: `more than ${MAX_SYMLINKS} links` }
    }
  )
}

/** The directory at the end of a path, if all of it exists. */
export function findDirectory<B extends Books>(
  root: Directory<B>,
  path: ByteString
): Directory<B> | undefined {
  const found = follow(root, path)
  return found?.missing.length === 0 ? found.directory : undefined
}

/** Since directories do not move, the ancestors of a touched path have already been touched. */
export function touch(directory: Directory, layer: number): void {
  for (
    let current: Directory | undefined = directory;
    current !== undefined && current.touched !== layer;
    current = current.parent
  )
    current.touched = layer
}
