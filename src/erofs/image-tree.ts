/**
 * The tree of an image while it is made: inodes by number, and names in directories. Both come in any order, and names
 * may be set again or removed; what has no name in the end is not written. The order makes no difference to the bytes.
 */
import { ownCopy, type ByteString } from '../bytes.ts'
import type { Xattr } from '../tar/entry.ts'
import type { Body, Chunks } from './bodies.ts'
import { NO_BLOCK } from './format.ts'
import { checkName, checkObject, type ImageObject } from './image-object.ts'
import { InodeTable } from './inode-table.ts'
import { encodeXattrs } from './xattrs.ts'

/** The inode of the root directory. */
export const ROOT = 0

/** The root begins without attributes, so theirs is the first set. */
const NO_XATTRS = 0

/** As of a directory that no layer describes. */
export const BARE_DIRECTORY: ImageObject = {
  type: 'directory',
  path: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { sec: 0, nsec: 0 },
  xattrs: [],
  size: 0,
  link: '',
  devMajor: 0,
  devMinor: 0
}

/** What a directory contains: inodes by name. */
export interface Names {
  keys(): Iterable<ByteString>
  get(name: ByteString): number | undefined
}

interface XattrSet {
  xattrs: readonly Xattr[]
  /** As they follow an inode. */
  bytes: Buffer
}

export class ImageTree {
  readonly inodes: InodeTable = new InodeTable()
  /** The names in each directory. */
  private readonly names = new Map<number, Map<ByteString, number>>()
  /** For directories whose names are kept elsewhere. */
  private readonly lent = new Map<number, Names>()
  private readonly parents = new Map<number, number>()
  private readonly targets = new Map<number, ByteString>()
  private readonly chunked = new Map<number, Chunks>()
  /** Each different set of attributes once. */
  private readonly xattrSets: XattrSet[] = []
  private readonly xattrNumbers = new Map<string, number>()

  constructor() {
    this.add(BARE_DIRECTORY)
    this.parents.set(ROOT, ROOT)
  }

  /**
   * A new inode, without a name. Only a file that is not empty has a body.
   * @param device the one that the body is on, from 1 in the order of the device table; 0 is the image itself
   * @throws ENTRY_INVALID for what EROFS cannot express
   */
  add(object: ImageObject, body: Body = NO_BLOCK, device = 0): number {
    checkObject(object)
    const inode = this.inodes.add(object, this.xattrSet(object.xattrs, object.path))
    switch (object.type) {
      case 'file':
        this.setBody(inode, object.size, body, device)
        break
      case 'directory':
        this.names.set(inode, new Map<ByteString, number>())
        break
      case 'symlink':
        this.targets.set(inode, ownCopy(object.link))
        this.inodes.setSize(inode, object.link.length)
        break
      case 'char':
      case 'block':
        this.inodes.setStart(inode, deviceNumber(object))
        break
      case 'fifo':
    }
    return inode
  }

  /** Gives an inode other metadata; its names and its content stay. @throws ENTRY_INVALID */
  setMetadata(inode: number, object: ImageObject): void {
    checkObject(object)
    this.inodes.replace(inode, object, this.xattrSet(object.xattrs, object.path))
  }

  /** Gives an inode more attributes than its object has. @throws ENTRY_INVALID */
  addXattrs(inode: number, more: readonly Xattr[], path: ByteString): void {
    const { xattrs } = this.xattrSets[this.inodes.xattrs(inode)]!
    this.inodes.setXattrs(inode, this.xattrSet([...xattrs, ...more], path))
  }

  /** Gives an inode a name, in place of what had it. A directory can have one name only. @throws ENTRY_INVALID */
  setName(directory: number, name: ByteString, inode: number): void {
    checkName(name)
    if (this.names.has(inode)) this.setParent(inode, directory)
    this.names.get(directory)!.set(name, inode)
  }

  /** Names for a directory that has none, kept by the caller. @throws ENTRY_INVALID */
  lendNames(directory: number, names: Names): void {
    for (const name of names.keys()) {
      checkName(name)
      const inode = names.get(name)!
      if (this.names.has(inode)) this.setParent(inode, directory)
    }
    this.lent.set(directory, names)
  }

  child(directory: number, name: ByteString): number | undefined {
    return this.namesOf(directory).get(name)
  }

  namesOf(directory: number): Names {
    return this.lent.get(directory) ?? this.names.get(directory)!
  }

  isDirectory(inode: number): boolean {
    return this.names.has(inode)
  }

  parentOf(directory: number): number {
    return this.parents.get(directory)!
  }

  /** The target of a symbolic link. */
  targetOf(inode: number): ByteString | undefined {
    return this.targets.get(inode)
  }

  /** The chunks of a body that is not in one piece. */
  chunksOf(inode: number): Chunks | undefined {
    return this.chunked.get(inode)
  }

  /** The attributes of an inode as they follow it. */
  xattrsOf(inode: number): Buffer {
    return this.xattrSets[this.inodes.xattrs(inode)]!.bytes
  }

  private setParent(directory: number, parent: number): void {
    if (this.parents.has(directory)) throw new Error('a directory cannot have two names')
    this.parents.set(directory, parent)
  }

  private setBody(inode: number, size: number, body: Body, device: number): void {
    if (size > 0 && body === NO_BLOCK) throw new Error('a file has no place for its body')
    this.inodes.setSize(inode, size)
    this.inodes.setDevice(inode, device)
    if (typeof body === 'number') this.inodes.setStart(inode, body)
    else this.chunked.set(inode, body)
  }

  private xattrSet(xattrs: readonly Xattr[], path: ByteString): number {
    if (xattrs.length === 0 && this.xattrSets.length > 0) return NO_XATTRS
    const bytes = encodeXattrs(xattrs, path)
    const key = bytes.toString('latin1')
    const known = this.xattrNumbers.get(key)
    if (known !== undefined) return known
    this.xattrNumbers.set(key, this.xattrSets.length)
    return this.xattrSets.push({ xattrs, bytes }) - 1
  }
}

function deviceNumber({ devMajor, devMinor }: ImageObject): number {
  return ((devMinor & 0xff) | (devMajor << 8) | ((devMinor & ~0xff) << 12)) >>> 0
}
