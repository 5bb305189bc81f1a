/** Everything that images consist of, found by walking from descriptors down to layers. */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { layerDiffIds, parseConfig, parseIndex, parseManifest } from '../image/documents.ts'
import type { Descriptor, ImageConfig, ImageManifest } from '../image/types.ts'
import { isDistributable, readAs, roleOf, type BlobRole } from './blob-role.ts'
import { hiddenReferences } from './hidden-references.ts'
import type { ImageSource } from './image-source.ts'
import { descriptorsInJson } from './descriptors-in-json.ts'
import { documentSource, MAX_INDEX_DEPTH, tooMany } from './manifests-in-index.ts'

export interface ReachableBlob {
  descriptor: Descriptor
  role: BlobRole
  /**
   * Whether the image is complete without it: a manifest of an index that has others, a subject, or a layer that must
   * not be distributed (image-spec image-layout.md, manifest.md, layer.md).
   */
  optional: boolean
  /** For an index, manifest or config: the verified bytes, unless there is a fault. */
  document?: Buffer
  /** Why the document cannot be read or is not valid. Layers and other blobs are not examined. */
  fault?: OciUnpackError
  /** Whether the walk covers everything that it refers to. Plain bytes refer to nothing. */
  isFollowed: boolean
  /** What configs give as the layer's diff ID; usually one. */
  diffIds: Set<Digest>
}

export interface WalkOptions {
  /**
   * How to treat a JSON document of an unknown type in an index: as plain bytes (the default), or as needing whatever
   * it mentions.
   */
  unknown?: 'bytes' | 'mentions'
}

const MAX_BLOBS = 100_000

/**
 * The blobs that the roots lead to, one for each size and role that descriptors give for it, each followed by what it
 * refers to. Only documents are read, each once. All faults are found, and each is reported with its blob.
 * @throws LIMIT_EXCEEDED
 */
export function reachableBlobs(
  source: ImageSource,
  roots: readonly Descriptor[],
  options: WalkOptions = {}
): ReachableBlob[] {
  const walk = new Walk(source, options)
  for (const root of roots) walk.visit(root, { optional: false, depth: 0 })
  return walk.blobs
}

/** Where a descriptor is found. The config and layers of a manifest are content; all others are documents. */
interface Place {
  optional: boolean
  depth: number
  isContent?: boolean
}

class Walk {
  readonly blobs: ReachableBlob[] = []
  private readonly source: ImageSource
  private readonly mentionsCount: boolean
  private readonly known = new Map<string, ReachableBlob>()
  private readonly configs = new Map<ReachableBlob, ImageConfig>()

  constructor(source: ImageSource, { unknown }: WalkOptions) {
    this.source = source
    this.mentionsCount = unknown === 'mentions'
  }

  visit(descriptor: Descriptor, place: Place): ReachableBlob {
    const role = roleOf(descriptor)
    const isRead = this.isRead(role, descriptor, place)
    const key = `${descriptor.digest} ${descriptor.size} ${role} ${isRead} ${readAs(descriptor)}`
    const known = this.known.get(key)
    if (known !== undefined) {
      known.optional &&= place.optional
      return known
    }
    if (this.known.size >= MAX_BLOBS) throw tooMany('blobs', MAX_BLOBS)
    const { optional } = place
    const isFollowed = !isRead || role === 'config'
    const blob: ReachableBlob = { descriptor, role, optional, isFollowed, diffIds: new Set() }
    this.known.set(key, blob)
    if (isRead) this.describe(blob, place.depth)
    this.blobs.push(blob)
    return blob
  }

  private isRead(role: BlobRole, { mediaType }: Descriptor, { isContent }: Place): boolean {
    if (role !== 'other') return role !== 'layer'
    return this.mentionsCount && isContent !== true && /[+/]json$/.test(mediaType)
  }

  private describe(blob: ReachableBlob, depth: number): void {
    try {
      this.read(blob, depth)
    } catch (error) {
      if (!(error instanceof OciUnpackError)) throw error
      blob.fault = error
      delete blob.document
    }
  }

  private read(blob: ReachableBlob, depth: number): void {
    const { role, descriptor } = blob
    if (depth > MAX_INDEX_DEPTH) throw tooMany('nested documents', MAX_INDEX_DEPTH)
    const bytes = this.source.readDocument(descriptor)
    blob.document = bytes
    switch (role) {
      case 'index':
        this.readIndex(blob, bytes, depth + 1)
        return
      case 'manifest':
        this.readManifest(blob, parseManifest(bytes, documentSource(descriptor)), depth + 1)
        return
      case 'config':
        this.configs.set(blob, parseConfig(bytes, documentSource(descriptor)))
        return
      case 'layer':
      case 'other':
        for (const mention of descriptorsInJson(bytes))
          this.visit(mention, { optional: true, depth: depth + 1 })
        blob.isFollowed = true
    }
  }

  private readIndex(blob: ReachableBlob, bytes: Buffer, depth: number): void {
    const index = parseIndex(bytes, documentSource(blob.descriptor))
    const { manifests, subject } = index
    const children = manifests.map((child) => this.visit(child, { optional: true, depth }))
    const [first] = children
    if (first !== undefined && children.every(isAbsent)) first.optional = false
    const hidden = this.mentionsCount ? hiddenReferences(this.source, index) : []
    for (const mention of hidden) this.visit(mention, { optional: true, depth })
    if (subject !== undefined) this.visit(subject, { optional: true, depth })
    blob.isFollowed = true
  }

  private readManifest(blob: ReachableBlob, manifest: ImageManifest, depth: number): void {
    const config = this.visit(manifest.config, { optional: false, depth, isContent: true })
    const layers = manifest.layers.map((layer) =>
      this.visit(layer, { optional: !isDistributable(layer), depth, isContent: true })
    )
    if (manifest.subject !== undefined) this.visit(manifest.subject, { optional: true, depth })
    blob.isFollowed = true
    const parsed = this.configs.get(config)
    if (parsed === undefined) return
    const diffIds = layerDiffIds(manifest, parsed, manifest.config.digest)
    for (const [index, layer] of layers.entries()) layer.diffIds.add(diffIds[index]!)
  }
}

/** Whether it is known to be missing. Nothing is known about blobs that are not documents. */
function isAbsent({ fault }: ReachableBlob): boolean {
  return fault?.code === 'BLOB_NOT_FOUND'
}
