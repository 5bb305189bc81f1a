/**
 * The contract of a policy: how the metadata of an image is kept on a disk that cannot hold, or must not show, all of
 * it.
 *
 * A policy decides about type, mode, owner, device number and extended attributes, never about names, targets, times
 * and content. It is pure: it looks at no disk and makes no system calls. A `PolicyChoice` says which policy applies,
 * with its settings: plain data, which can be sent to threads and stored. The functions come from the one list in
 * `policies.ts`.
 *
 * These laws are tested for every policy in `test/plan/policies.test.ts`:
 *
 * - `fromDisk(toDisk(entry))` is the entry without what `unheld(entry)` returns. Together they are the entry again.
 * - If `toDisk` throws, nothing of the entry has reached the disk. What cannot exist there in any form is refused with
 *   ENTRY_INVALID, and an id without a mapping, in either direction, with ID_NOT_MAPPED.
 * - `toDisk` can write what `fromDisk` returns, up to `unheld`: a repacked image unpacks under the policy that it was packed with.
 * - `fromDisk` does not return what the host, or the file system that contains the tree, has added.
 *
 * What `unheld` returns is kept on the staged entry, with what the kernel refused while it was written, and remembered beside a
 * bundle (`bundle/unheld.ts`); a repack adds it to what `fromDisk` returns, as long as the object is still the same.
 */
import type { EntryType, Xattr } from '../../tar/entry.ts'

/** What a policy decides about. Archive entries, staged entries and objects on disk all have it. */
export interface ObjectMetadata {
  /** A hard link has no metadata: it is another name for an object that does. */
  type: Exclude<EntryType, 'hardlink'>
  mode: number
  uid: number
  gid: number
  devMajor: number
  devMinor: number
  xattrs: readonly Xattr[]
}

/** The part of an object's metadata that the disk does not hold. */
export type Unheld = Partial<ObjectMetadata>

export interface MetadataPolicy<Choice> {
  /** The object as it is to be on disk. @throws ENTRY_INVALID, ID_NOT_MAPPED */
  toDisk(entry: ObjectMetadata, choice: Choice): ObjectMetadata

  /** The object as an image has it. @throws ENTRY_INVALID, ID_NOT_MAPPED */
  fromDisk(object: ObjectMetadata, choice: Choice): ObjectMetadata

  /** The part of the entry that the disk does not hold, as in the entry; only those attributes that are left out. */
  unheld(entry: ObjectMetadata, choice: Choice): Unheld
}
