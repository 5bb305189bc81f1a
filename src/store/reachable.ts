/** Everything that images consist of: the walk from descriptors down to layers. */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { layerDiffIds, parseConfig, parseIndex, parseManifest } from '../image/documents.ts'
import { mediaKind } from '../image/media-types.ts'
import type { Descriptor, ImageConfig, ImageManifest } from '../image/types.ts'
import type { ImageSource } from './image-source.ts'
import { documentSource, MAX_INDEX_DEPTH, tooMany } from './offered-manifests.ts'

/** `other` is a blob that is only bytes here: of an artifact, an encrypted layer, an unknown manifest. */
export type BlobRole = 'index' | 'manifest' | 'config' | 'layer' | 'other'

export interface ReachableBlob {
  descriptor: Descriptor
  role: BlobRole
  /**
   * Whether the image is whole without it: a manifest of an index that others of it can stand for, a subject, or a
   * layer that is not distributable (image-spec image-layout.md, manifest.md, layer.md).
   */
  optional: boolean
  /** Of an index, manifest or config: the verified bytes, unless there is a fault. */
  document?: Buffer
  /** Why the document cannot be had, or is not valid. Layers and others are not looked at. */
  fault?: OciUnpackError
  /** What configs say of a layer; mostly one. */
  diffIds: Set<Digest>
}

const MAX_BLOBS = 100_000

/**
 * The blobs that roots lead to, each once for each size and role that descriptors claim, and behind all that it refers
 * to. Nothing but documents is read, each once. Faults are found all, and reported with the blob that has them.
 * Throws LIMIT_EXCEEDED.
 */
export function reachableBlobs(source: ImageSource, roots: readonly Descriptor[]): ReachableBlob[] {
  const walk = new Walk(source)
  for (const root of roots) walk.visit(root, false, 0)
  return walk.blobs
}

class Walk {
  readonly blobs: ReachableBlob[] = []
  private readonly source: ImageSource
  private readonly known = new Map<string, ReachableBlob>()
  private readonly configs = new Map<ReachableBlob, ImageConfig>()

  constructor(source: ImageSource) {
    this.source = source
  }

  visit(descriptor: Descriptor, optional: boolean, depth: number): ReachableBlob {
    const role = roleOf(descriptor)
    const key = `${descriptor.digest} ${descriptor.size} ${role} ${readAs(descriptor)}`
    const known = this.known.get(key)
    if (known !== undefined) {
      known.optional &&= optional
      return known
    }
    if (this.known.size >= MAX_BLOBS) throw tooMany('blobs', MAX_BLOBS)
    const blob: ReachableBlob = { descriptor, role, optional, diffIds: new Set() }
    this.known.set(key, blob)
    this.describe(blob, depth)
    this.blobs.push(blob)
    return blob
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
    if (role === 'layer' || role === 'other') return
    if (depth > MAX_INDEX_DEPTH) throw tooMany('nested documents', MAX_INDEX_DEPTH)
    const bytes = this.source.readDocument(descriptor)
    blob.document = bytes
    switch (role) {
      case 'index':
        this.readIndex(descriptor, bytes, depth)
        return
      case 'manifest':
        this.readManifest(parseManifest(bytes, documentSource(descriptor)), depth)
        return
      case 'config':
        this.configs.set(blob, parseConfig(bytes, documentSource(descriptor)))
    }
  }

  private readIndex(descriptor: Descriptor, bytes: Buffer, depth: number): void {
    const { manifests, subject } = parseIndex(bytes, documentSource(descriptor))
    const children = manifests.map((child) => this.visit(child, true, depth + 1))
    const [first] = children
    if (first !== undefined && children.every(isAbsent)) first.optional = false
    if (subject !== undefined) this.visit(subject, true, depth + 1)
  }

  private readManifest(manifest: ImageManifest, depth: number): void {
    const config = this.visit(manifest.config, false, depth + 1)
    const layers = manifest.layers.map((layer) =>
      this.visit(layer, !isDistributable(layer), depth + 1)
    )
    if (manifest.subject !== undefined) this.visit(manifest.subject, true, depth + 1)
    const parsed = this.configs.get(config)
    if (parsed === undefined) return
    const diffIds = layerDiffIds(manifest, parsed, manifest.config.digest)
    for (const [index, layer] of layers.entries()) layer.diffIds.add(diffIds[index]!)
  }
}

/** Whether it is known to be absent: of blobs that are no documents nothing is known. */
function isAbsent({ fault }: ReachableBlob): boolean {
  return fault?.code === 'BLOB_NOT_FOUND'
}

function isDistributable({ mediaType }: Descriptor): boolean {
  const kind = mediaKind(mediaType)
  return kind.kind !== 'layer' || kind.distributable
}

/** What else than the role decides how a blob is read: a layer may be a Docker one in one image, an OCI one in another. */
function readAs({ mediaType }: Descriptor): string {
  const kind = mediaKind(mediaType)
  if (kind.kind === 'layer') return kind.compression
  return kind.kind === 'index' || kind.kind === 'manifest' ? mediaType : ''
}

function roleOf({ mediaType }: Descriptor): BlobRole {
  const { kind } = mediaKind(mediaType)
  return kind === 'empty' ? 'other' : kind
}
