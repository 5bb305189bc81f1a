/** A tree as it was seen on disk, and what is remembered of it: the input of the search for changes. */
import type { ByteString } from '../bytes.ts'
import type { MtreeType } from '../mtree/entry.ts'
import type { EntryList } from '../mtree/entry-list.ts'
import type { EntryType } from '../tar/entry.ts'

/** The types of objects on disk. */
export type ObjectType = Exclude<EntryType, 'hardlink'> | 'socket'

/** A tree may store its objects as bytes and decode one on request. */
export interface SeenTree<Seen extends SeenObject> {
  /** Number of objects. */
  readonly size: number
  readonly root: Seen
  /** All objects, in the order of a tree manifest's lines. */
  inTreeManifestOrder(): Iterable<Seen>
  /** @param path relative to the root, `.` for the root itself */
  find(path: ByteString): Seen | undefined
}

export interface SeenObject {
  /** Unique in the tree, and lower than its size. */
  readonly number: number
  /** Relative to the root; `.` for the root itself. */
  readonly path: ByteString
  readonly type: ObjectType
  /** May be decoded on each call. */
  readonly status: {
    readonly type: ObjectType
    readonly nlink: number
    readonly device: number
    readonly inode: bigint
  }
}

/** What is remembered of objects, by their place in the tree manifest, counted from 0. */
export interface TreeMemory<Seen extends SeenObject> {
  readonly entries: EntryList
  /** Device of the tree when it was remembered; undefined if unknown. */
  readonly device: number | bigint | undefined
  /** Whether owners on disk say nothing: in a rootless tree, everything belongs to whoever has it. */
  readonly isRootless?: boolean
  /** Sets aside what can be told of many objects at once. */
  sift(tree: SeenTree<Seen>): Sifted<Seen>
  /** Whether the object certainly has not changed, so that it need not be read again. */
  isUnchanged(index: number, object: Seen): boolean
  /** Undefined if there is no usable fingerprint. */
  record(index: number): FingerprintRecord | undefined
  /** The record for the object as it is now. */
  recordOf(object: Seen): FingerprintRecord
}

/** A tree of which some objects were set aside. */
export interface Sifted<Seen extends SeenObject> {
  /** By the number of each object: the index of the entry that it certainly still equals, or `NONE`. */
  indexes: Int32Array
  /** All other objects, in the order of the tree manifest. */
  others: readonly Seen[]
  /** Every object that has several names, once for each name; no directories. */
  linked: readonly Seen[]
}

export const NONE = -1

/** What a fingerprint says about an object that may have changed. */
export interface FingerprintRecord {
  inode: bigint
  /** Bytes; for a device, and for attributes that the tree manifest does not list, a number that changes with them. */
  size: number
  mtimeNsec: number
}

export const MTREE_TYPE: Readonly<Record<ObjectType, MtreeType>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'link',
  fifo: 'fifo',
  char: 'char',
  block: 'block',
  socket: 'socket'
}
