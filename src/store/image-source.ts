/** The place that images are read from. */
import type { Facts } from '../errors.ts'
import { digestAlgorithm, digestHex, type Digest } from '../image/digest.ts'
import { oddEntries } from '../image/odd-entries.ts'
import { assertDescriptor } from '../image/documents.ts'
import type { Descriptor, ImageIndex } from '../image/types.ts'
import { openBlob } from './blob.ts'
import type { BlobSource } from './blob-source.ts'
import { documentTooLarge } from './file.ts'

/** A place where images can be read: a layout directory or an archive. */
export interface ImageSource {
  /** The absolute path of the directory or the archive. */
  readonly path: string
  /** Where in a registry it is: another repository of the same host can take blobs from there. */
  readonly repository?: { readonly host: string; readonly name: string }
  /** Whether a name without a tag means `latest`, if there is such a tag. */
  readonly hasDefaultTag: boolean
  /** Tells whoever opened this place about something odd that is not a reason to fail. The same is told once. */
  readonly warn: OnWarning
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
   * @throws DOCUMENT_INVALID for a descriptor that is not one; DIGEST_INVALID; in an archive BLOB_INVALID if they are not in a regular file
   */
  blobSource(descriptor: Descriptor): BlobSource
  /**
   * A part of a blob that is far away, not verified; fewer bytes only at the end of the blob. Omitted if `blobSource` says where it can be read.
   */
  readonly blobPart?: (descriptor: Descriptor, offset: number, length: number) => Promise<Buffer>
  /**
   * The manifests and indexes whose subject has this digest (distribution-spec, Listing Referrers). Omitted if they are
   * entries of the index.
   */
  readonly referrers?: (digest: Digest) => Promise<readonly Descriptor[]>
  /** What a tag leads to, if there is such a tag. Omitted if the index has all tags. */
  readonly tagged?: (tag: string) => Promise<Descriptor | undefined>
  /** Whether a blob exists. Omitted if opening it tells. */
  readonly isThere?: (descriptor: Descriptor) => Promise<boolean>
  /**
   * Sees to it that a reading of documents does not have to wait for them. Where they are far away, the reading is
   * repeated until all that it needs were fetched: it must change nothing, and what it throws counts only when it is
   * done in earnest. @throws what fetching throws, and ABORTED
   */
  prepare(reading: () => void): Promise<void>
  /** Releases what it keeps open: a connection, or an archive that is compressed as a whole. */
  close(): void
}

/** What a reading of documents returns, which does not have to wait for any. @throws what it throws, and `prepare` */
export async function prepared<T>(source: ImageSource, read: () => T): Promise<T> {
  await source.prepare(() => void read())
  return read()
}

export type OnWarning = (message: string, facts: Facts) => void

/** What differs between kinds of sources. */
export interface SourceParts {
  path: string
  hasDefaultTag: boolean
  onWarning: OnWarning | undefined
  /** The largest JSON document that is read, in bytes. */
  limit: number
  readIndex(): ImageIndex
  /** A file, or a part of one, which need not exist. */
  locate(digest: Digest, size: number): BlobPlace
  close?(): void
}

export type BlobPlace = Omit<BlobSource, 'digest' | 'size'>

export function imageSource(parts: SourceParts): ImageSource {
  const { path, limit, hasDefaultTag } = parts
  const warn = once(parts.onWarning)
  const blobSource = (descriptor: Descriptor): BlobSource => {
    assertDescriptor(descriptor, path)
    const { digest, size, data } = descriptor
    return data === undefined || data === ''
      ? { digest, size, ...parts.locate(digest, size) }
      : { digest, size, data: Buffer.from(data, 'base64') }
  }
  return {
    path,
    hasDefaultTag,
    warn,
    readIndex: () => readUsable(parts, warn),
    blobSource,
    prepare: () => Promise.resolve(),
    close: () => parts.close?.(),
    readDocument: (descriptor) => readVerified(blobSource(descriptor), limit)
  }
}

function once(onWarning: OnWarning = () => undefined): OnWarning {
  const told = new Set<string>()
  return (message, facts) => {
    const key = JSON.stringify([message, facts])
    if (told.size < told.add(key).size) onWarning(message, facts)
  }
}

function readUsable(parts: SourceParts, warn: OnWarning): ImageIndex {
  const index = parts.readIndex()
  warnOfOddEntries(index, warn)
  return index
}

/** Shows what is wrong with the first of them. */
export function warnOfOddEntries(index: ImageIndex, warn: OnWarning): void {
  const [first, ...others] = oddEntries(index)
  if (first === undefined) return
  const count = others.length + 1
  const what =
    count === 1
      ? 'An entry of the index is not valid and is'
      : `${count} entries of the index are not valid and are`
  warn(`${what} ignored.`, first.fault.facts)
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
