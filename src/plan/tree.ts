/**
 * The merged tree as a value: what the root will hold once all layers are applied. Directories never move,
 * so a parent link is enough; regular files, links and special files are inodes that names share.
 */
import type { ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { MAX_PATH_BYTES, tooLong } from './names.ts'
import type { Mount } from './mounts.ts'
import type { StagedEntry } from './staged-entry.ts'

/** As many links as umoci follows in one path before it calls them a loop. */
const MAX_SYMLINKS = 255

export interface Directory {
  readonly kind: 'directory'
  readonly parent: Directory | undefined
  readonly name: ByteString
  readonly children: Map<ByteString, Node>
  /** Bytes of its path, so that the limit on paths is one comparison. */
  readonly pathBytes: number
  /** The entry whose metadata it has; undefined for a parent that no layer describes. */
  entry: StagedEntry | undefined
  /** The last layer that wrote this path or one below it: such paths survive that layer's whiteouts. */
  touched: number
  /** Staged directories that hold children of this one; a hint for the assembler. */
  readonly candidates: PhysicalDirectory[]
  /** It was there before the unpack. */
  isOld: boolean
  /** It was there before the unpack, and no layer has changed its metadata. */
  existing: boolean
  /** Something else is mounted here: what it holds is not known. */
  mount: Mount | undefined
}

/**
 * A file, symbolic link or special file; several leaves are its names. It keeps of its entry only what the plan
 * and the manifest need: there are as many of these as files in the image.
 */
export interface Inode {
  readonly kind: 'inode'
  readonly type: StagedEntry['type']
  /** Target of a symbolic link; empty otherwise. */
  readonly link: ByteString
  /** SHA-256 of a file's body as 32 bytes, where digests were asked for. */
  readonly sha256: ByteString | undefined
  /** Whether the image gives it extended attributes. */
  hasXattrs: boolean
  /** Its metadata, where that changed after its object was staged. */
  redescribed: StagedEntry | undefined
  /** Where its object lies on disk at this point of the plan. */
  physicalParent: PhysicalDirectory | undefined
  physicalName: ByteString
  /** Its first name in the finished tree, once it is there. */
  placed: ByteString | undefined
}

/** A directory on disk while the plan is made. */
export interface PhysicalDirectory {
  readonly kind: 'physical'
  parent: PhysicalDirectory | undefined
  name: ByteString
  readonly children: Map<ByteString, PhysicalDirectory | Inode>
  /** The directory of the merged tree that it was staged for. */
  owner: Directory | undefined
}

export interface Leaf {
  readonly kind: 'leaf'
  readonly inode: Inode
  touched: number
}

export type Node = Directory | Leaf

/** Where a path leads: the deepest directory there is, and the names that are missing below it. */
export interface Resolution {
  directory: Directory
  missing: ByteString[]
}

export const UNTOUCHED = -1

export function newDirectory(parent: Directory | undefined, name: ByteString): Directory {
  const pathBytes = parent?.parent === undefined ? name.length : parent.pathBytes + 1 + name.length
  if (pathBytes > MAX_PATH_BYTES)
    throw tooLong(name, `links lead to a path of ${pathBytes} bytes`, MAX_PATH_BYTES)
  return {
    kind: 'directory',
    parent,
    name,
    children: new Map<ByteString, Node>(),
    pathBytes,
    entry: undefined,
    touched: UNTOUCHED,
    candidates: [],
    isOld: false,
    existing: false,
    mount: undefined
  }
}

export function newInode(
  entry: Pick<StagedEntry, 'type' | 'link' | 'sha256' | 'xattrs'>,
  name: ByteString
): Inode {
  return {
    kind: 'inode',
    type: entry.type,
    link: entry.link,
    sha256: entry.sha256,
    hasXattrs: entry.xattrs.length > 0,
    redescribed: undefined,
    physicalParent: undefined,
    physicalName: name,
    placed: undefined
  }
}

/**
 * Follows every component, symbolic links too, without ever leaving the root; creates nothing.
 * @throws ENTRY_INVALID where links lead round in a circle
 */
export function resolve(root: Directory, path: ByteString): Resolution {
  const found = follow(root, path)
  if (found === undefined) throw symlinkLoop()
  return found
}

/** Undefined where links lead round in a circle. */
function follow(root: Directory, path: ByteString): Resolution | undefined {
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
  return { directory, missing }
}

function symlinkLoop(): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', 'Symbolic links in its path lead round in a circle.', {
    facts: { reason: `more than ${MAX_SYMLINKS} links` }
  })
}

/** The directory at the end of a path, if all of it exists. */
export function findDirectory(root: Directory, path: ByteString): Directory | undefined {
  const found = follow(root, path)
  return found?.missing.length === 0 ? found.directory : undefined
}

/** Ancestors of a touched path are touched already: directories do not move. */
export function touch(directory: Directory, layer: number): void {
  for (
    let current: Directory | undefined = directory;
    current !== undefined && current.touched !== layer;
    current = current.parent
  )
    current.touched = layer
}
