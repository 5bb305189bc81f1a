/** The blobs that the images of a layout need. */
import type { Layout } from './layout.ts'
import { reachableBlobs } from './reachable.ts'

/**
 * The digests of all blobs that `index.json` leads to (image-spec image-layout.md), by way of indexes, manifests,
 * OCI and Docker, subjects, and whatever documents of unknown types mention. A blob that is absent leads nowhere: a
 * layout need not hold all.
 * @throws BLOB_SIZE_MISMATCH, BLOB_DIGEST_MISMATCH, DOCUMENT_INVALID, DIGEST_INVALID, LIMIT_EXCEEDED: where a
 * document cannot be read, nobody knows what it needs.
 */
export function neededDigests(layout: Layout): Set<string> {
  const { manifests, subject } = layout.readIndex()
  const roots = subject === undefined ? manifests : [...manifests, subject]
  const blobs = reachableBlobs(layout, roots, { unknown: 'mentions' })
  for (const { fault, isFollowed } of blobs)
    if (!isFollowed && fault !== undefined && fault.code !== 'BLOB_NOT_FOUND') throw fault
  return new Set(blobs.map(({ descriptor }) => descriptor.digest))
}
