/** Rewrites an edited image, with every document that leads to it. */
import { target, type DescriptorPath } from './choice.ts'
import { digestOf, type Digest } from './digest.ts'
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
}

/** The uncompressed size of a layer in bytes, which umoci records on the layer's descriptor. */
export const UNCOMPRESSED_SIZE = 'ci.umo.uncompressed_blob_size'

/**
 * Applies an edit and rewrites everything above it, bottom-up: config, manifest, each index. Unknown fields,
 * annotations, platforms and big integers are kept; sizes, digests and embedded `data` become those of the new bytes.
 * An edit without changes returns the image unchanged.
 */
export function rewriteImage(image: ImageDocuments, edit: ImageEdit): RewrittenImage {
  if (Object.keys(edit).length === 0) return { ...image, blobs: [] }
  const config = editConfig(image.config, edit)
  const configBlob = configBytes(config)
  const manifest = {
    ...editManifest(image.manifest, edit),
    mediaType: target(image.descriptorPath).mediaType,
    config: describe(image.manifest.config, configBlob)
  }
  const above = rewriteIndexes(editPlatform(image, edit), manifestBytes(manifest))
  const blobs = [configBlob, ...above.blobs].map((bytes) => ({ digest: digestOf(bytes), bytes }))
  return { blobs, descriptorPath: above.descriptorPath, manifest, config }
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

function rewriteIndexes(
  { descriptorPath: old, indexes }: ImageDocuments,
  manifestBlob: Buffer
): { blobs: Buffer[]; descriptorPath: DescriptorPath } {
  const blobs = [manifestBlob]
  let descriptorPath: DescriptorPath = [describe(target(old), manifestBlob)]
  let bytes = manifestBlob
  for (const [depth, index] of [...indexes.entries()].toReversed()) {
    bytes = indexBytes(withContent(index, old[depth + 1]!.digest, bytes))
    blobs.push(bytes)
    descriptorPath = [describe(old[depth]!, bytes), ...descriptorPath]
  }
  return { blobs, descriptorPath }
}

/** Replaces the content of every entry with the old digest. */
function withContent(index: ImageIndex, old: Digest, bytes: Buffer): ImageIndex {
  const manifests = index.manifests.map((entry) =>
    entry.digest === old ? describe(entry, bytes) : entry
  )
  return { ...index, manifests }
}

/** The descriptor with new content. Its annotations, platform and unknown fields are kept. */
function describe(old: Descriptor, bytes: Buffer): Descriptor {
  const content = { ...old, digest: digestOf(bytes), size: bytes.length }
  return old.data === undefined ? content : { ...content, data: bytes.toString('base64') }
}
