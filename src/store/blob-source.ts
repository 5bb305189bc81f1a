/** Where a blob is. */
import type { Digest } from '../image/digest.ts'

/** A registry, or a mirror that stands in for it. */
export interface BlobOrigin {
  /** `HOST[:PORT]` that sends the bytes. */
  host: string
  repository: string
  isMirror: boolean
}

/** Where a blob's bytes are, as plain data that can go to another thread: a file, or the bytes themselves. */
export interface BlobSource {
  digest: Digest
  /** In bytes, according to the descriptor. */
  size: number
  path?: string
  /** An open file of this process, to be read instead of the one at the path, which is only shown. */
  fd?: number
  /** The directory that a link at this path may not lead out of. Undefined: no link is followed. */
  within?: string
  /** In an archive: the part of the file that is the blob, in bytes. */
  section?: { offset: number; length: number }
  /** It arrives from elsewhere (`arrival-memory.ts`). */
  arriving?: SharedArrayBuffer
  /** Where it comes from, for messages. */
  origin?: BlobOrigin
  /** Embedded content (image-spec descriptor.md); used instead of the file. */
  data?: Uint8Array
}
