/** What an image is, as its documents say: nothing is unpacked. */
import { OciUnpackError, withFacts } from '../errors.ts'
import { isAttestation, pathPlatform, target, type DescriptorPath } from '../image/choice.ts'
import { parseConfig, parseManifest } from '../image/documents.ts'
import { goTime } from '../image/go-time.ts'
import { mediaKind } from '../image/media-types.ts'
import { parsePlatform, platformOf } from '../image/platform.ts'
import { parseReference } from '../image/reference.ts'
import type { Descriptor, History, ImageConfig, ImageManifest, Platform } from '../image/types.ts'
import { openLayout, type Layout } from '../store/layout.ts'
import { documentSource, offeredManifests } from '../store/offered-manifests.ts'
import { findDescriptor } from '../store/resolve.ts'

export interface StatOptions {
  /** `PATH[:TAG]` of an OCI layout. */
  image: string
  /** `os/arch[/variant]`: only this image of an index. */
  platform?: string
}

/** A tag names one image, or an index with an image for each platform. */
export type TagStat =
  | { kind: 'image'; image: ImageStat }
  | { kind: 'index'; descriptor: Descriptor; images: readonly PlatformStat[] }

/** `image` is undefined where the layout has not the manifest, as image-layout.md allows. */
export interface PlatformStat {
  platform: Platform | undefined
  descriptor: Descriptor
  image: ImageStat | undefined
}

export interface ImageStat {
  manifest: DocumentStat<ImageManifest>
  /** Undefined: an artifact whose config is of a type that is not read. */
  config: (DocumentStat<ImageConfig | undefined> & { history: readonly HistoryStat[] }) | undefined
}

/** `content` is undefined where the document is of no type that is known here; `raw` is as stored. */
export interface DocumentStat<Content> {
  descriptor: Descriptor
  content: Content
  raw: Buffer
}

/** An entry of the history with the layer that it made; dates as Go writes them. */
export interface HistoryStat {
  /** Undefined: none, or the manifest has fewer layers. */
  layer: Descriptor | undefined
  diffId: string | undefined
  entry: History
}

/** Reads manifest and config of an image, or of all images of an index. @throws OciUnpackError */
export function statImage({ image, platform }: StatOptions): Promise<TagStat> {
  return new Promise((resolve) => resolve(stat(image, platform)))
}

function stat(image: string, platform: string | undefined): TagStat {
  try {
    const { path, tag } = parseReference(image)
    const layout = openLayout(path)
    const wanted = platform === undefined ? undefined : parsePlatform(platform)
    return statDescriptor(layout, findDescriptor(layout, layout.readIndex(), tag, wanted))
  } catch (error) {
    throw withFacts(error, { image })
  }
}

/** @throws MEDIA_TYPE_UNSUPPORTED, BLOB_*, DOCUMENT_INVALID, LIMIT_EXCEEDED */
export function statDescriptor(layout: Layout, descriptor: Descriptor): TagStat {
  if (mediaKind(descriptor.mediaType).kind !== 'index')
    return { kind: 'image', image: statManifest(layout, descriptor) }
  const images = offeredManifests(layout, descriptor)
    .filter((path) => !isAttestation(target(path)))
    .map((path) => statPlatform(layout, path))
  return { kind: 'index', descriptor, images }
}

function statPlatform(layout: Layout, path: DescriptorPath): PlatformStat {
  const descriptor = target(path)
  const image = layout.hasBlob(descriptor.digest) ? statManifest(layout, descriptor) : undefined
  const content = image?.config?.content
  const own = content === undefined ? undefined : platformOf(content)
  return { platform: pathPlatform(path) ?? own, descriptor, image }
}

function statManifest(layout: Layout, descriptor: Descriptor): ImageStat {
  if (mediaKind(descriptor.mediaType).kind !== 'manifest') throw notManifest(descriptor)
  const raw = layout.readDocument(descriptor)
  const manifest = parseManifest(raw, documentSource(descriptor))
  return {
    manifest: { descriptor, content: manifest, raw },
    config: statConfig(layout, manifest)
  }
}

function statConfig(layout: Layout, manifest: ImageManifest): ImageStat['config'] {
  const descriptor = manifest.config
  const { kind } = mediaKind(descriptor.mediaType)
  if (kind !== 'config' && kind !== 'empty') return undefined
  const raw = layout.readDocument(descriptor)
  if (kind === 'empty') return { descriptor, content: undefined, raw, history: [] }
  const content = parseConfig(raw, documentSource(descriptor))
  return { descriptor, content, raw, history: pairHistory(manifest, content) }
}

/** Entries that made a layer stand in the order of the layers (image-spec config.md, history). */
function pairHistory(manifest: ImageManifest, config: ImageConfig): HistoryStat[] {
  let layer = 0
  return (config.history ?? []).map((entry) => {
    const { created } = entry
    const dated = created === undefined ? entry : { ...entry, created: goTime(created) }
    if (entry.empty_layer === true) return { layer: undefined, diffId: undefined, entry: dated }
    const diffId = config.rootfs.diff_ids[layer]
    return { layer: manifest.layers[layer++], diffId, entry: dated }
  })
}

function notManifest({ digest, mediaType }: Descriptor): OciUnpackError {
  return new OciUnpackError('MEDIA_TYPE_UNSUPPORTED', 'The tag names no image.', {
    facts: { file: digest, expected: 'an image manifest or index', found: mediaType }
  })
}
