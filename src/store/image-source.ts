/** The place that images are read from. */
import { digestAlgorithm, digestHex, type Digest } from '../image/digest.ts'
import type { Descriptor, ImageIndex } from '../image/types.ts'
import { openBlob } from './blob.ts'
import type { BlobSource } from './blob-source.ts'
import { documentTooLarge } from './file.ts'

/** A place where images can be read: a layout directory or an archive. */
export interface ImageSource {
  /** The absolute path of the directory or the archive. */
  readonly path: string
  /**
   * The entries of `index.json`, from which an image is chosen. @throws LAYOUT_INVALID, DOCUMENT_INVALID,
   * LIMIT_EXCEEDED
   */
  readIndex(): ImageIndex
  /**
   * The bytes of a JSON blob, verified by size and digest.
   * @throws what `openBlob` throws; LIMIT_EXCEEDED, before anything is read, if the descriptor announces more than the
   * limit
   */
  readDocument(descriptor: Descriptor): Buffer
  /**
   * Where a blob's bytes are: embedded in the descriptor, otherwise in a file.
   * @throws DIGEST_INVALID; in an archive BLOB_INVALID if they are not in a regular file
   */
  blobSource(descriptor: Descriptor): BlobSource
  /** Releases what it keeps open, which is nothing unless an archive is compressed as a whole. */
  close(): void
}

/** What differs between kinds of sources. */
export interface SourceParts {
  path: string
  /** The largest JSON document that is read, in bytes. */
  limit: number
  readIndex(): ImageIndex
  /** A file, or a part of one, which need not exist. */
  locate(digest: Digest): BlobPlace
  close?(): void
}

export type BlobPlace = Omit<BlobSource, 'digest' | 'size'>

export function imageSource(parts: SourceParts): ImageSource {
  const { path, limit } = parts
  const blobSource = (descriptor: Descriptor): BlobSource => {
    const { digest, size, data } = descriptor
    return data === undefined || data === ''
      ? { digest, size, ...parts.locate(digest) }
      : { digest, size, data: Buffer.from(data, 'base64') }
  }
  return {
    path,
    readIndex: () => parts.readIndex(),
    blobSource,
    close: () => parts.close?.(),
    readDocument: (descriptor) => readVerified(blobSource(descriptor), limit)
  }
}

/** @throws DIGEST_INVALID for an unknown algorithm */
export function relativeBlobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}

function readVerified(source: BlobSource, limit: number): Buffer {
  if (source.size > limit) throw documentTooLarge(source.digest, source.size, limit)
  const blob = openBlob(source)
  try {
    const chunks: Buffer[] = []
    for (let chunk = blob.read(); chunk !== undefined; chunk = blob.read()) {
      chunks.push(Buffer.from(chunk))
    }
    blob.verify()
    return Buffer.concat(chunks)
  } finally {
    blob.close()
  }
}
