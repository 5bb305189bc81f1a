/** A tree as it was seen on disk, and what is remembered of it from before: what the search for changes has to know. */
import type { ByteString } from '../bytes.ts'
import type { MtreeType } from '../mtree/entry.ts'
import type { EntryList } from '../mtree/entry-list.ts'
import type { EntryType } from '../tar/entry.ts'

/** Of objects on disk. */
export type ObjectType = Exclude<EntryType, 'hardlink'> | 'socket'

/** A tree may hold its objects as bytes, and make one when it is asked for. */
export interface SeenTree<Seen extends SeenObject> {
  /** How many objects there are. */
  readonly size: number
  readonly root: Seen
  /** Everything, in the order of a tree manifest's lines. */
  inTreeManifestOrder(): Iterable<Seen>
  /** @param path relative to the root, `.` for the root itself */
  find(path: ByteString): Seen | undefined
}

export interface SeenObject {
  /** Below the size of the tree, and of this object alone. */
  readonly number: number
  /** Relative to the root; `.` for the root itself. */
  readonly path: ByteString
  readonly type: ObjectType
  /** May be decoded at each call. */
  readonly status: {
    readonly type: ObjectType
    readonly nlink: number
    readonly device: number
    readonly inode: bigint
  }
}

/** Objects by their place in the tree manifest, counted from 0. */
export interface TreeMemory<Seen extends SeenObject> {
  readonly entries: EntryList
  /** Device of the tree when it was remembered; undefined: not known. */
  readonly device: number | bigint | undefined
  /** The object surely did not change since, so that nobody need read it again. */
  isUnchanged(index: number, object: Seen): boolean
  /** Undefined where there is no usable fingerprint. */
  record(index: number): FingerprintRecord | undefined
  /** What would be remembered of an object now. */
  recordOf(object: Seen): FingerprintRecord
}

/** What a fingerprint tells when something changed. */
export interface FingerprintRecord {
  inode: bigint
  /** Bytes; of a device, and of attributes that the tree manifest does not list, a number that changes with them. */
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
