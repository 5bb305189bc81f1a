/** Rewrites an edited image, with every document that leads to it. */
import { target, type DescriptorPath } from './choice.ts'
import { digestOf, type Digest } from './digest.ts'
import { platformText } from './platform.ts'
import { withPlatform } from './required-platform.ts'
import { configBytes, indexBytes, manifestBytes } from './serialise.ts'
import type {
  Descriptor,
  History,
  ImageConfig,
  ImageIndex,
  ImageManifest,
  Platform
} from './types.ts'

/** An image with every document that leads to it. */
export interface ImageDocuments {
  descriptorPath: DescriptorPath
  /** The indexes of all descriptors of the path except the last, outermost first. */
  indexes: readonly ImageIndex[]
  manifest: ImageManifest
  config: ImageConfig
}

/** What changes. Every part is optional; all other fields stay as they are. */
export interface ImageEdit {
  /** A layer on top, already stored. */
  layer?: { descriptor: Descriptor; diffId: Digest }
  /** A history entry at the end. Its `empty_layer` is set here, depending on whether there is a layer. */
  history?: Omit<History, 'empty_layer'>
  config?: (config: ImageConfig) => ImageConfig
  manifest?: (manifest: ImageManifest) => ImageManifest
  /** Applied to the platform wherever a descriptor of the image has one. */
  platform?: (platform: Platform) => Platform
}

/** The rewritten image: documents to store, in this order, and the path that then leads to it. */
export interface RewrittenImage {
  blobs: readonly { digest: Digest; bytes: Buffer }[]
  descriptorPath: DescriptorPath
  manifest: ImageManifest
  config: ImageConfig
  /** Digests of the attestations and variants that are left out, because they are about the image as it was. */
  dropped: readonly Digest[]
  /** If nothing says which platform the image is for: the one that the config now names. */
  assumed: Platform | undefined
}

/** The annotation with which BuildKit says which image an attestation describes. */
const DESCRIBED = 'vnd.docker.reference.digest'

/** The uncompressed size of a layer in bytes, which umoci records on the layer's descriptor. */
export const UNCOMPRESSED_SIZE = 'ci.umo.uncompressed_blob_size'

/**
 * Applies an edit and rewrites everything above it, bottom-up: config, manifest, each index. Unknown fields,
 * annotations, platforms and big integers are kept, except entries of indexes that are about the old image; sizes,
 * digests and embedded `data` become those of the new bytes. An edit without changes returns the image unchanged. What
 * the specification requires of a config and the image lacks is added: its platform.
 */
export function rewriteImage(image: ImageDocuments, edit: ImageEdit): RewrittenImage {
  if (Object.keys(edit).length === 0)
    return { ...image, blobs: [], dropped: [], assumed: undefined }
  const edited = editConfig(image.config, edit)
  const { config, assumed } = withPlatform(edited, image.descriptorPath)
  const configBlob = configBytes(config)
  const manifest = {
    ...editManifest(image.manifest, edit),
    mediaType: target(image.descriptorPath).mediaType,
    config: describe(image.manifest.config, configBlob)
  }
  const above = rewriteIndexes(editPlatform(image, edit), manifestBytes(manifest))
  const blobs = [configBlob, ...above.blobs].map((bytes) => ({ digest: digestOf(bytes), bytes }))
  const { descriptorPath, dropped } = above
  return { blobs, descriptorPath, manifest, config, dropped, assumed }
}

/** The descriptor of a new layer; `size` and `uncompressedSize` in bytes. */
export function layerDescriptor(
  mediaType: string,
  blob: { digest: Digest; size: number },
  uncompressedSize: number
): Descriptor {
  const plain = { mediaType, digest: blob.digest, size: blob.size }
  if (blob.size === uncompressedSize) return plain
  return { ...plain, annotations: { [UNCOMPRESSED_SIZE]: String(uncompressedSize) } }
}

function editConfig(config: ImageConfig, edit: ImageEdit): ImageConfig {
  const layered = edit.layer === undefined ? config : withDiffId(config, edit.layer.diffId)
  const edited = edit.config?.(layered) ?? layered
  if (edit.history === undefined) return edited
  const empty = edit.layer === undefined ? { empty_layer: true } : {}
  return { ...edited, history: [...(edited.history ?? []), { ...edit.history, ...empty }] }
}

function withDiffId(config: ImageConfig, diffId: Digest): ImageConfig {
  return { ...config, rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, diffId] } }
}

function editManifest(manifest: ImageManifest, edit: ImageEdit): ImageManifest {
  const layers =
    edit.layer === undefined ? manifest.layers : [...manifest.layers, edit.layer.descriptor]
  const layered = { ...manifest, layers }
  return edit.manifest?.(layered) ?? layered
}

function editPlatform(image: ImageDocuments, { platform: change }: ImageEdit): ImageDocuments {
  if (change === undefined) return image
  const { digest } = target(image.descriptorPath)
  const edit = (descriptor: Descriptor): Descriptor =>
    descriptor.digest !== digest || descriptor.platform === undefined
      ? descriptor
      : { ...descriptor, platform: change(descriptor.platform) }
  const [first, ...below] = image.descriptorPath
  const indexes = image.indexes.map((index) => ({
    ...index,
    manifests: index.manifests.map(edit)
  }))
  return { ...image, descriptorPath: [edit(first), ...below.map(edit)], indexes }
}

interface Above {
  blobs: Buffer[]
  descriptorPath: DescriptorPath
  dropped: Digest[]
}

function rewriteIndexes(
  { descriptorPath: old, indexes }: ImageDocuments,
  manifestBlob: Buffer
): Above {
  const above: Above = {
    blobs: [manifestBlob],
    descriptorPath: [describe(target(old), manifestBlob)],
    dropped: []
  }
  for (const [depth, index] of [...indexes.entries()].toReversed()) {
    const change = { old: old[depth + 1]!, bytes: above.blobs.at(-1)! }
    const kept = index.manifests.filter((entry) => !isOutdated(entry, change))
    const gone = index.manifests.filter((entry) => isOutdated(entry, change))
    const bytes = indexBytes(
      withContent(ofType({ ...index, manifests: kept }, old[depth]!), change)
    )
    above.blobs.push(bytes)
    above.dropped.push(...gone.map(({ digest }) => digest))
    above.descriptorPath = [describe(old[depth]!, bytes), ...above.descriptorPath]
  }
  return above
}

/** New content for every descriptor with the old digest. */
interface Change {
  old: Descriptor
  bytes: Buffer
}

/**
 * Whether an entry is about an image that is now another one: what BuildKit attests of it, or the same image in another
 * compression (as podman adds it, and prefers it).
 */
function isOutdated(entry: Descriptor, { old, bytes }: Change): boolean {
  if (entry.digest === old.digest || digestOf(bytes) === old.digest) return false
  return entry.annotations?.[DESCRIBED] === old.digest || isOtherCompression(entry, old)
}

function isOtherCompression(entry: Descriptor, image: Descriptor): boolean {
  if (entry.platform === undefined || image.platform === undefined) return false
  const isVariant = isCompressionVariant(entry) || isCompressionVariant(image)
  return isVariant && platformText(entry.platform) === platformText(image.platform)
}

function isCompressionVariant({ annotations = {} }: Descriptor): boolean {
  return Object.keys(annotations).some((key) => key.startsWith('io.github.containers.compression.'))
}

/** An index that names its own type names that of its descriptor. */
function ofType(index: ImageIndex, { mediaType }: Descriptor): ImageIndex {
  return index.mediaType === undefined ? index : { ...index, mediaType }
}

function withContent(index: ImageIndex, { old, bytes }: Change): ImageIndex {
  const manifests = index.manifests.map((entry) =>
    entry.digest === old.digest ? describe(entry, bytes) : entry
  )
  return { ...index, manifests }
}

/** The descriptor with new content. Its annotations, platform and unknown fields are kept. */
function describe(old: Descriptor, bytes: Buffer): Descriptor {
  const content = { ...old, digest: digestOf(bytes), size: bytes.length }
  return old.data === undefined ? content : { ...content, data: bytes.toString('base64') }
}
