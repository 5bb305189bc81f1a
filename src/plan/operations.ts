/** The operations that join staged layers into a tree. */
import type { ByteString } from '../bytes.ts'
import type { StagedEntry } from './staged-entry.ts'

/**
 * One step in turning staged directories into the finished root. Paths are relative to the workspace. If the steps are
 * executed in order, each finds its source where the plan says and its destination free.
 */
export type Operation =
  /** A new empty directory that only its owner may enter until its metadata is set. */
  | { op: 'make'; path: ByteString }
  | { op: 'move'; from: ByteString; to: ByteString }
  /** Another name for the inode at `from`. */
  | { op: 'link'; from: ByteString; to: ByteString }
  /** Metadata of a finished directory; comes after everything below it. No entry: no layer describes it. */
  | {
      op: 'write-directory-metadata'
      path: ByteString
      entry: StagedEntry | undefined
      /** Whether this plan made it: then it has no attributes yet. */
      isNew: boolean
    }
  /** Only the times, of a directory that existed before and whose children changed. */
  | { op: 'restore-times'; path: ByteString; entry: StagedEntry }
  /** The mode of a directory that existed before. */
  | { op: 'set-mode'; path: ByteString; mode: number }
  /** Metadata of a symbolic link that changed after it was staged. */
  | { op: 'rewrite-link-metadata'; path: ByteString; entry: StagedEntry }
  /** In the directory of a layer: lower layers have this name, but the merged tree does not. */
  | { op: 'whiteout'; path: ByteString }
  /** In the directory of a layer: nothing that lower layers have in this directory shows. */
  | { op: 'opaque'; path: ByteString }
  /** Copies a file, link or device with all its metadata from `from` in the directory of a lower layer. */
  | { op: 'copy-up'; layer: number; from: ByteString; to: ByteString }
