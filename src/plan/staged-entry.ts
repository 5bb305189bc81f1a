/** An entry and the place of its staged object. */
import type { ByteString } from '../bytes.ts'
import { NO_METADATA } from './no-metadata.ts'
import type { Unheld } from './policy/metadata-policy.ts'
import type { EntryType, Timespec, Xattr } from '../tar/entry.ts'

/** `staged` says where staging put an entry's object in its layer's private directory; here, nowhere. */
export const STAGED_NOWHERE = -1
/** At the entry's own cleaned path. Numbers above it are names in the spill directory. */
export const STAGED_IN_TREE = 0

/**
 * One entry of a layer as its sink leaves it: names cleaned, ids mapped, policy applied; staged, indexed or neither.
 * Plain data, which can be sent to threads, and all that the planner sees of a layer.
 */
export interface StagedEntry {
  type: EntryType | 'whiteout' | 'opaque'
  /** Cleaned path inside the root; for a whiteout, the victim; for an opaque marker, the directory. */
  path: ByteString
  /** Symlink: target verbatim. Hardlink: cleaned path of the target. Otherwise empty. */
  link: ByteString
  mode: number
  /** As on disk, after the id maps were applied. */
  uid: number
  gid: number
  size: number
  mtime: Timespec
  atime?: Timespec
  devMajor: number
  devMinor: number
  xattrs: readonly Xattr[]
  /** What the entry has and its object on disk has not: the policy does not hold it, or the kernel refused it. */
  unheld?: Unheld
  /** SHA-256 of a file's body as 32 bytes, if digests were requested. */
  sha256?: ByteString
  /** STAGED_NOWHERE, STAGED_IN_TREE, or a number in the spill directory. */
  staged: number
  /**
   * For an indexed entry, and for a file that staging skipped, where its stored bytes begin in the layer's tar. No two
   * entries of a layer have the same value.
   */
  body?: number
  /** For an indexed sparse file, the parts of it that are stored: offset, length, offset, length … */
  extents?: readonly number[]
}

/** An entry that consists of its name only: a whiteout, an opaque marker or a hard link. */
export function bareEntry(
  type: 'whiteout' | 'opaque' | 'hardlink',
  path: ByteString,
  link: ByteString = ''
): StagedEntry {
  return { ...NO_METADATA, type, path, link, staged: STAGED_NOWHERE }
}
