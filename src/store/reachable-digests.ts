import { OciUnpackError } from '../errors.ts'
import { parseIndex, parseManifest } from '../image/documents.ts'
import { parseJson, type Json } from '../image/json.ts'
import { mediaKind } from '../image/media-types.ts'
import type { Descriptor, ImageIndex, ImageManifest } from '../image/types.ts'
import type { Layout } from './layout.ts'
import { documentSource } from './offered-manifests.ts'

/**
 * The digests of all blobs that `index.json` leads to (image-spec image-layout.md), by way of indexes, manifests,
 * OCI and Docker, and subjects. A blob that is absent leads nowhere: a layout need not hold all.
 * Throws BLOB_SIZE_MISMATCH, BLOB_DIGEST_MISMATCH, DOCUMENT_INVALID, DIGEST_INVALID, LIMIT_EXCEEDED: where a
 * document cannot be read, nobody knows what it needs.
 */
export function reachableDigests(layout: Layout): Set<string> {
  const reached = new Set<string>()
  const visited = new Set<string>()
  const waiting = indexReferences(layout.readIndex())
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { descriptor, role } = next
    reached.add(descriptor.digest)
    const visit = `${role} ${descriptor.mediaType} ${descriptor.digest}`
    if (visited.has(visit)) continue
    visited.add(visit)
    waiting.push(...referencesOf(layout, next))
  }
  return reached
}

/** What stands in an index is a document; what a manifest has as config or layer is content. */
interface Reference {
  descriptor: Descriptor
  role: 'document' | 'content'
}

function referencesOf(layout: Layout, { descriptor, role }: Reference): Reference[] {
  const { kind } = mediaKind(descriptor.mediaType)
  if (kind === 'index') return read(layout, descriptor, indexIn)
  if (kind === 'manifest') return read(layout, descriptor, manifestIn)
  const isUnknown = kind === 'other' && role === 'document' && isJson(descriptor.mediaType)
  return isUnknown ? read(layout, descriptor, mentionsIn) : []
}

function read(
  layout: Layout,
  descriptor: Descriptor,
  references: (bytes: Buffer, descriptor: Descriptor) => Reference[]
): Reference[] {
  try {
    return references(layout.readDocument(descriptor), descriptor)
  } catch (error) {
    if (error instanceof OciUnpackError && error.code === 'BLOB_NOT_FOUND') return []
    throw error
  }
}

function indexIn(bytes: Buffer, descriptor: Descriptor): Reference[] {
  return indexReferences(parseIndex(bytes, documentSource(descriptor)))
}

function indexReferences({ manifests, subject }: ImageIndex): Reference[] {
  return [...manifests, ...present(subject)].map(asDocument)
}

function manifestIn(bytes: Buffer, descriptor: Descriptor): Reference[] {
  const { config, layers, subject }: ImageManifest = parseManifest(
    bytes,
    documentSource(descriptor)
  )
  const content = [config, ...layers].map((it): Reference => ({ descriptor: it, role: 'content' }))
  return [...content, ...present(subject).map(asDocument)]
}

/**
 * Documents of types that are not known here may need what they mention (OCI's former artifact manifest did): every
 * digest in them counts.
 */
function mentionsIn(bytes: Buffer): Reference[] {
  try {
    return mentions(parseJson(bytes))
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

function mentions(value: Json): Reference[] {
  if (typeof value === 'string') return DIGEST.test(value) ? [asDocument(leaf(value))] : []
  if (value === null || typeof value !== 'object') return []
  const below = Object.values(value).flatMap((member: Json | undefined) => mentions(member ?? null))
  return isDescriptor(value) ? [asDocument(value), ...below] : below
}

const DIGEST = /^[a-z0-9+._-]+:[A-Za-z0-9=_-]+$/

function isDescriptor(value: object): value is Descriptor {
  const { mediaType, digest, size } = value as Partial<Record<keyof Descriptor, unknown>>
  const isNamed = typeof mediaType === 'string' && typeof digest === 'string'
  return isNamed && DIGEST.test(digest) && Number.isSafeInteger(size)
}

function leaf(digest: string): Descriptor {
  return { mediaType: '', digest: digest as Descriptor['digest'], size: 0 }
}

function asDocument(descriptor: Descriptor): Reference {
  return { descriptor, role: 'document' }
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value]
}

function isJson(mediaType: string): boolean {
  return /[+/]json$/.test(mediaType)
}
