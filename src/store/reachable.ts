/** Everything that images consist of, found by walking from descriptors down to layers. */
import { OciUnpackError } from '../errors.ts'
import { isDigest } from '../image/digest.ts'
import { isDescriptor, parseIndex, parseManifest } from '../image/documents.ts'
import type { Descriptor, ImageManifest } from '../image/types.ts'
import { isDistributable, readAs, roleOf, type BlobRole } from './blob-role.ts'
import { hiddenReferences } from './hidden-references.ts'
import { descriptorsInJson } from './descriptors-in-json.ts'
import type { ImageSource } from './image-source.ts'
import { DEFAULT_MAX_DOCUMENT_SIZE } from './layout.ts'
import { documentSource, MAX_INDEX_DEPTH, tooMany } from './manifests-in-index.ts'
import { storedSize } from './stored-size.ts'

export interface ReachableBlob {
  descriptor: Descriptor
  role: BlobRole
  /**
   * Whether the image is complete without it: a manifest of an index that has others, a subject, or a layer that must
   * not be distributed (image-spec image-layout.md, manifest.md, layer.md).
   */
  optional: boolean
  /** For an index or manifest, and for a document of an unknown type: whether its bytes were verified. */
  isVerified: boolean
  /** For a manifest: what it consists of. */
  content?: ManifestContent
  /** Why the document cannot be read or is not valid. Configs, layers and other blobs are not examined. */
  fault?: OciUnpackError
  /** Whether the walk covers everything that it refers to. Plain bytes refer to nothing. */
  isFollowed: boolean
}

export interface ManifestContent {
  manifest: ImageManifest
  raw: Buffer
  config: ReachableBlob
  /** Base layer first. */
  layers: readonly ReachableBlob[]
}

const MAX_BLOBS = 100_000

/**
 * The blobs that the roots lead to, one for each size and role that descriptors give for it, each followed by what it
 * refers to. A document of an unknown type in an index needs whatever it mentions and is there. Only documents are read,
 * each once, but no configs. All faults are found, and each is reported with its blob.
 * @throws LIMIT_EXCEEDED
 */
export function reachableBlobs(source: ImageSource, roots: readonly Descriptor[]): ReachableBlob[] {
  const walk = new Walk(source)
  for (const root of roots) walk.visit(root, { optional: false, depth: 0 })
  return walk.found()
}

/** Where a descriptor is found. The config and layers of a manifest are content; all others are documents. */
interface Place {
  optional: boolean
  depth: number
  isContent?: boolean
}

class Walk {
  private readonly blobs: ReachableBlob[] = []
  private readonly source: ImageSource
  private readonly known = new Map<string, ReachableBlob>()
  /** Blobs that only a digest in an unknown document names. */
  private readonly mentioned = new Map<string, ReachableBlob>()

  constructor(source: ImageSource) {
    this.source = source
  }

  /** Parts before the whole. */
  found(): ReachableBlob[] {
    const described = new Set(this.blobs.map(({ descriptor }) => descriptor.digest))
    const others = [...this.mentioned.values()].filter(
      ({ descriptor }) => !described.has(descriptor.digest)
    )
    return [...others, ...this.blobs]
  }

  visit(descriptor: Descriptor, place: Place): ReachableBlob {
    const role = roleOf(descriptor)
    const isRead = isDocument(role, descriptor, place)
    const key = `${descriptor.digest} ${descriptor.size} ${role} ${isRead} ${readAs(descriptor)}`
    const known = this.known.get(key)
    if (known !== undefined) {
      known.optional &&= place.optional
      return known
    }
    if (this.known.size >= MAX_BLOBS) throw tooMany('blobs', MAX_BLOBS)
    const { optional } = place
    const blob: ReachableBlob = {
      descriptor,
      role,
      optional,
      isVerified: false,
      isFollowed: !isRead
    }
    this.known.set(key, blob)
    if (isRead) this.examine(blob, place.depth)
    this.blobs.push(blob)
    return blob
  }

  private examine(blob: ReachableBlob, depth: number): void {
    try {
      this.read(blob, depth)
    } catch (error) {
      if (!(error instanceof OciUnpackError)) throw error
      blob.fault = error
      blob.isFollowed = !mayLeadSomewhere(blob.descriptor)
    }
  }

  private read(blob: ReachableBlob, depth: number): void {
    const { role, descriptor } = blob
    if (depth > MAX_INDEX_DEPTH) throw tooMany('nested documents', MAX_INDEX_DEPTH)
    const bytes = this.source.readDocument(descriptor)
    blob.isVerified = true
    switch (role) {
      case 'index':
        this.readIndex(blob, bytes, depth + 1)
        break
      case 'manifest':
        this.readManifest(blob, bytes, depth + 1)
        break
      case 'config':
      case 'layer':
      case 'other':
        for (const mention of descriptorsInJson(bytes)) this.mention(mention, depth + 1)
    }
    blob.isFollowed = true
  }

  private readIndex({ descriptor }: ReachableBlob, bytes: Buffer, depth: number): void {
    const index = parseIndex(bytes, documentSource(descriptor))
    const { manifests, subject } = index
    const children = manifests.map((child) => this.visit(child, { optional: true, depth }))
    const [first] = children
    if (first !== undefined && children.every(isAbsent)) first.optional = false
    for (const mention of hiddenReferences(this.source, index))
      this.visit(mention, { optional: true, depth })
    if (subject !== undefined) this.visit(subject, { optional: true, depth })
  }

  private readManifest(blob: ReachableBlob, raw: Buffer, depth: number): void {
    const manifest = parseManifest(raw, documentSource(blob.descriptor))
    const config = this.visit(manifest.config, { optional: false, depth, isContent: true })
    const layers = manifest.layers.map((layer) =>
      this.visit(layer, { optional: !isDistributable(layer), depth, isContent: true })
    )
    if (manifest.subject !== undefined) this.visit(manifest.subject, { optional: true, depth })
    blob.content = { manifest, raw, config, layers }
  }

  /** What an unknown document names by its digest alone has no size, and may be something else than a blob. */
  private mention(descriptor: Descriptor, depth: number): void {
    const { mediaType, digest } = descriptor
    if (mediaType !== '') {
      this.visit(descriptor, { optional: true, depth })
      return
    }
    const size = isDigest(digest) ? storedSize(this.source.blobSource(descriptor)) : undefined
    if (size === undefined) return
    if (this.mentioned.size >= MAX_BLOBS) throw tooMany('blobs', MAX_BLOBS)
    this.mentioned.set(digest, {
      descriptor: { ...descriptor, size },
      role: 'other',
      optional: true,
      isVerified: false,
      isFollowed: true
    })
  }
}

/** Manifests of unknown types are JSON, whatever their type is called. A few other small blobs are read in vain. */
function isDocument(
  role: BlobRole,
  { mediaType, size }: Descriptor,
  { isContent }: Place
): boolean {
  if (role === 'index' || role === 'manifest') return true
  const mayBeJson = /[+/]json$/.test(mediaType) || !(size > DEFAULT_MAX_DOCUMENT_SIZE)
  return isContent !== true && mayBeJson
}

/** Whether it is known to be missing. Nothing is known about blobs that are not documents. */
function isAbsent({ fault }: ReachableBlob): boolean {
  return fault?.code === 'BLOB_NOT_FOUND'
}

/** A digest that no blob can have leads nowhere. */
function mayLeadSomewhere(descriptor: Descriptor): boolean {
  return isDescriptor({ ...descriptor, size: 0 })
}
