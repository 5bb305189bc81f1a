/** Finds the manifests that an index refers to. */
import { OciUnpackError } from '../errors.ts'
import { target, type DescriptorPath } from '../image/choice.ts'
import { parseIndex, type DocumentSource } from '../image/documents.ts'
import { mediaKind } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'
import { warnOfOddEntries, type ImageSource } from './image-source.ts'

/** Nested indexes deeper than this are refused; real ones nest once or twice. */
export const MAX_INDEX_DEPTH = 16

/** The most manifests that one tag may lead to; a real index has a few dozen. */
const MAX_MANIFESTS = 10_000

/**
 * The manifests that an index refers to, through nested indexes (image-spec image-index.md). Skips entries of other
 * types.
 * @throws BLOB_*, DOCUMENT_INVALID, LIMIT_EXCEEDED
 */
export function manifestsInIndex(
  source: ImageSource,
  index: Descriptor
): readonly DescriptorPath[] {
  const found: Found = { manifests: [], visited: new Set(), missing: undefined }
  collect(source, [index], found)
  if (found.manifests.length === 0 && found.missing !== undefined) throw found.missing
  return found.manifests
}

/** How messages name the document of a descriptor, and which type it must have. */
export function documentSource(descriptor: Descriptor): DocumentSource {
  return { file: descriptor.digest, mediaType: descriptor.mediaType }
}

interface Found {
  manifests: DescriptorPath[]
  /** Digests of indexes, so that an index with several referrers is read once. */
  visited: Set<string>
  /** The error for a missing nested index, which image-layout.md allows. It matters only if no manifest is found. */
  missing: OciUnpackError | undefined
}

function collect(source: ImageSource, path: DescriptorPath, found: Found): void {
  const descriptor = target(path)
  if (found.visited.has(descriptor.digest)) return
  found.visited.add(descriptor.digest)
  if (path.length > MAX_INDEX_DEPTH) throw tooMany('nested indexes', MAX_INDEX_DEPTH)
  const index = parseIndex(source.readDocument(descriptor), documentSource(descriptor))
  warnOfOddEntries(index, source.warn)
  for (const child of index.manifests) {
    const kind = mediaKind(child.mediaType).kind
    if (kind === 'manifest') found.manifests.push([...path, child])
    else if (kind === 'index') collectNested(source, [...path, child], found)
    if (found.manifests.length > MAX_MANIFESTS) throw tooMany('manifests', MAX_MANIFESTS)
  }
}

function collectNested(source: ImageSource, path: DescriptorPath, found: Found): void {
  try {
    collect(source, path, found)
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'BLOB_NOT_FOUND') throw error
    found.missing ??= error
  }
}

/** The error for an image that is larger than any real one. */
export function tooMany(what: string, limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', `The image has too many ${what}.`, {
    facts: { expected: `at most ${limit}` },
    hint: 'The index refers to itself, or was made to exhaust readers. Make a smaller index for the image.'
  })
}
