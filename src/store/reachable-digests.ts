/** Which blobs of a layout are in use. */
import { hiddenReferences } from './hidden-references.ts'
import type { Layout } from './layout.ts'
import { reachableBlobs } from './reachable.ts'

/**
 * The digests of all blobs that `index.json` leads to (image-spec image-layout.md): through indexes, OCI and Docker
 * manifests, subjects, and anything that documents of unknown types and entries that are not valid mention. A missing blob leads nowhere, since a
 * layout may be incomplete.
 * @throws BLOB_SIZE_MISMATCH, BLOB_DIGEST_MISMATCH, DOCUMENT_INVALID, DIGEST_INVALID, LIMIT_EXCEEDED: if a document
 * cannot be read, the blobs that it needs are unknown
 */
export function reachableDigests(layout: Layout): Set<string> {
  const index = layout.readIndex()
  const { manifests, subject } = index
  const hidden = hiddenReferences(layout, index)
  const roots = [...manifests, ...(subject === undefined ? [] : [subject]), ...hidden]
  const blobs = reachableBlobs(layout, roots)
  for (const { fault, isFollowed } of blobs)
    if (!isFollowed && fault !== undefined && fault.code !== 'BLOB_NOT_FOUND') throw fault
  return new Set(blobs.map(({ descriptor }) => descriptor.digest))
}
