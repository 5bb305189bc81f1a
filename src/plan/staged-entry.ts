/** The entries of layers, as threads hand them to the planner. */
import type { ByteString } from '../bytes.ts'
import { NO_METADATA } from './no-metadata.ts'
import type { EntryType, Timespec, Xattr } from '../tar/entry.ts'

/** Where staging put an entry's object inside its layer's private directory. */
export const STAGED_NOWHERE = -1
/** At the entry's own cleaned path. Numbers above it are names in the spill directory. */
export const STAGED_IN_TREE = 0

/**
 * One entry of a layer as its sink leaves it: names cleaned, ids mapped, policy applied; staged, indexed or neither.
 * Plain data: it crosses threads and is all that the planner sees of a layer.
 */
export interface StagedEntry {
  type: EntryType | 'whiteout' | 'opaque'
  /** Cleaned path inside the root; of a whiteout, the victim; of an opaque marker, the directory. */
  path: ByteString
  /** Symlink: target verbatim. Hardlink: cleaned path of the target. Otherwise empty. */
  link: ByteString
  mode: number
  /** As on disk: after the id maps. */
  uid: number
  gid: number
  size: number
  mtime: Timespec
  atime?: Timespec
  devMajor: number
  devMinor: number
  xattrs: readonly Xattr[]
  /** SHA-256 of a file's body as 32 bytes, where digests were asked for. */
  sha256?: ByteString
  /** STAGED_NOWHERE, STAGED_IN_TREE, or a number in the spill directory. */
  staged: number
  /** Of an indexed entry: where its stored bytes begin in the layer's tar. No two entries of a layer have the same. */
  body?: number
  /** Of an indexed sparse file: the parts of it that are stored, as offset, length, offset, length … */
  extents?: readonly number[]
}

/** An entry that is its name and no more: a whiteout, an opaque marker or a hard link. */
export function bareEntry(
  type: 'whiteout' | 'opaque' | 'hardlink',
  path: ByteString,
  link: ByteString = ''
): StagedEntry {
  return { ...NO_METADATA, type, path, link, staged: STAGED_NOWHERE }
}
