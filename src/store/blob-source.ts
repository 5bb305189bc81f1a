/** Where the bytes of a blob are. */
import type { Digest } from '../image/digest.ts'

/** Where a blob's bytes are, as plain data that can go to another thread: a file, or the bytes themselves. */
export interface BlobSource {
  digest: Digest
  /** Bytes, as the descriptor says. */
  size: number
  path?: string
  /** The part of the file that is the blob, in bytes, where the file is an archive. */
  section?: { offset: number; length: number }
  /** Embedded content (image-spec descriptor.md); used instead of the file. */
  data?: Uint8Array
}
