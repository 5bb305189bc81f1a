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
 * - `toDisk` can write what `fromDisk` returns: a repacked image unpacks under the policy that it was packed with.
 * - `fromDisk` does not return what the host, or the file system that contains the tree, has added.
 *
 * A policy for users without root will hold less: all owners become the user's, devices and FIFOs become empty files,
 * set-ID bits and `security.*` attributes are left out. The three things that it needs exist already: `toDisk` may
 * change the type, `unheld` returns everything that was changed or left out (so this can be remembered beside the
 * bundle, by path, and added to what `fromDisk` returns at a repack), and both get the choice, which is in the bundle's
 * metadata. The code that remembers this must also notice when it is stale because the object at the path was replaced.
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

export interface MetadataPolicy<Choice> {
  /** The object as it is to be on disk. @throws ENTRY_INVALID, ID_NOT_MAPPED */
  toDisk(entry: ObjectMetadata, choice: Choice): ObjectMetadata

  /** The object as an image has it. @throws ID_NOT_MAPPED */
  fromDisk(object: ObjectMetadata, choice: Choice): ObjectMetadata

  /** The part of the entry that the disk does not hold, as in the entry; only those attributes that are left out. */
  unheld(entry: ObjectMetadata, choice: Choice): Partial<ObjectMetadata>
}
