/**
 * The contract between an image and a disk that cannot hold, or must not show, all that an image says of an object.
 *
 * A policy decides about type, mode, owner, device number and extended attributes; names, targets, times and content are
 * never its business. It is pure: it looks at no disk and calls nothing. Which policy is at work, with its settings, is a
 * `PolicyChoice`: plain data, which crosses threads and can be written down. The functions come from the one list in
 * `policies.ts`.
 *
 * The laws, which `test/plan/policies.test.ts` holds every policy to:
 *
 * - `fromDisk(toDisk(entry))` is the entry without what `unheld(entry)` gives. Put together they are the entry again.
 * - Where `toDisk` throws, nothing of the entry has reached the disk. What cannot be there in any form is refused with
 *   ENTRY_INVALID; an id without a mapping, in either direction, with ID_NOT_MAPPED.
 * - What `fromDisk` gives, `toDisk` can write again: a repacked image unpacks under the policy that it was packed with.
 * - `fromDisk` does not give what the host, or the file system that the tree lies in, has added.
 *
 * A policy for users without root will hold less: all owners become the user's, devices and FIFOs become empty files,
 * set-ID bits and `security.*` attributes stay away. It needs three things that are here already: `toDisk` may change the
 * type, `unheld` says all that was changed or left out (so it can be remembered beside the bundle, by path, and laid over
 * what `fromDisk` gives at a repack), and both get the choice, which is in the bundle's metadata. It must also say when
 * what it remembers of a path is stale: the object there was replaced since. That is for whoever keeps the memory.
 */
import type { EntryType, Xattr } from '../../tar/entry.ts'

/** What a policy decides about. Entries of archives, staged entries and objects on disk all have it. */
export interface ObjectMetadata {
  /** Of a hard link there is none: it is a further name of something that has. */
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

  /** What of the entry the disk does not hold, as the entry has it; of attributes only those that are left out. */
  unheld(entry: ObjectMetadata, choice: Choice): Partial<ObjectMetadata>
}
