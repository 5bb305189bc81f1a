/** Shows what an image is according to its documents, without unpacking anything. */
import { OciUnpackError } from '../errors.ts'
import { isAttestation, pathPlatform, target, type DescriptorPath } from '../image/choice.ts'
import { parseConfig, parseManifest } from '../image/documents.ts'
import { without } from '../image/fields.ts'
import { goTime } from '../image/go-time.ts'
import { mediaKind } from '../image/media-types.ts'
import { parsePlatform, platformOf } from '../image/platform.ts'
import { REF_NAME } from '../image/tags.ts'
import type { Descriptor, History, ImageConfig, ImageManifest, Platform } from '../image/types.ts'
import { prepared, type ImageSource } from '../store/image-source.ts'
import { documentSource, manifestsInIndex } from '../store/manifests-in-index.ts'
import { findDescriptor } from '../store/resolve.ts'
import type { RegistrySettings } from '../registry/registry.ts'
import { parseImageName } from '../transports/image-name.ts'
import { withImages, tagInIndex } from '../transports/open-images.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { choiceTo, warningTo } from './operation/warnings.ts'
import { requireOptions } from './operation/required-options.ts'

export interface StatOptions {
  /** `[TRANSPORT:]PATH[:TAG]` */
  image: string
  /** `os/arch[/variant]`: only this image of an index. */
  platform?: string
  /** How registries are reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  /** Stops it, which then rejects with ABORTED. */
  signal?: AbortSignal
  /** Gets warnings about names and documents. */
  onEvent?: OnEvent
}

/** A tag names one image, perhaps by an index that contains no other, or an index with an image for each platform. */
export type TagStat =
  | { kind: 'image'; image: ImageStat }
  | { kind: 'index'; descriptor: Descriptor; images: readonly PlatformStat[] }

/** `image` is undefined if the layout lacks the manifest, as image-layout.md allows. */
export interface PlatformStat {
  platform: Platform | undefined
  descriptor: Descriptor
  image: ImageStat | undefined
}

export interface ImageStat {
  manifest: DocumentStat<ImageManifest>
  /** Undefined for an artifact whose config has an unknown type and is not embedded in its descriptor. */
  config: (DocumentStat<ImageConfig | undefined> & { history: readonly HistoryStat[] }) | undefined
}

/** `content` is undefined if the type of the document is unknown; `raw` is as stored, and may then be anything. */
export interface DocumentStat<Content> {
  descriptor: Descriptor
  content: Content
  raw: Buffer
}

/** An entry of the history with the layer that it made. Dates are in Go's format. */
export interface HistoryStat {
  /** Undefined if it made none, or if the manifest has fewer layers. */
  layer: Descriptor | undefined
  diffId: string | undefined
  entry: History
}

/** Reads manifest and config of an image, or of all images of an index. @throws OciUnpackError */
export async function statImage(options: StatOptions): Promise<TagStat> {
  requireOptions(options, { image: 'text' })
  const { image, platform, registry, onEvent } = options
  return asked({ image }, async () => {
    const name = parseImageName(image, warningTo(onEvent))
    const wanted = platform === undefined ? undefined : parsePlatform(platform)
    const opening = {
      registry,
      signal: options.signal,
      onWarning: warningTo(onEvent),
      onChoice: choiceTo(onEvent),
      onRetry: onEvent
    }
    return withImages(name, opening, async (source) => {
      const stat = await prepared(source, () => {
        const descriptor = findDescriptor(source, source.readIndex(), tagInIndex(name), wanted)
        return statDescriptor(source, asStored(source, descriptor))
      })
      return withoutIndex(stat)
    })
  })
}

/** A registry has no index: the entry that stands for one has the tag that was asked for. */
function asStored({ repository }: ImageSource, descriptor: Descriptor): Descriptor {
  if (repository === undefined) return descriptor
  const others = without(descriptor.annotations ?? {}, [REF_NAME])
  const isEmpty = Object.keys(others).length === 0
  return isEmpty ? without(descriptor, ['annotations']) : { ...descriptor, annotations: others }
}

/** An index with one image is shown as if the tag named the image, as in umoci. */
function withoutIndex(stat: TagStat): TagStat {
  if (stat.kind === 'image') return stat
  const [only, ...others] = stat.images
  return only?.image === undefined || others.length > 0
    ? stat
    : { kind: 'image', image: only.image }
}

/** @throws MEDIA_TYPE_UNSUPPORTED, BLOB_*, DOCUMENT_INVALID, LIMIT_EXCEEDED */
export function statDescriptor(source: ImageSource, descriptor: Descriptor): TagStat {
  if (mediaKind(descriptor.mediaType).kind !== 'index') {
    assertManifest(descriptor)
    const image = statManifest(source, descriptor, source.readDocument(descriptor))
    return { kind: 'image', image }
  }
  const images = manifestsInIndex(source, descriptor)
    .filter((path) => !isAttestation(target(path)))
    .map((path) => statPlatform(source, path))
  return { kind: 'index', descriptor, images }
}

function statPlatform(source: ImageSource, path: DescriptorPath): PlatformStat {
  const descriptor = target(path)
  const raw = readIfThere(source, descriptor)
  const image = raw === undefined ? undefined : statManifest(source, descriptor, raw)
  const content = image?.config?.content
  const own = content === undefined ? undefined : platformOf(content)
  return { platform: pathPlatform(path) ?? own, descriptor, image }
}

function readIfThere(source: ImageSource, descriptor: Descriptor): Buffer | undefined {
  try {
    return source.readDocument(descriptor)
  } catch (error) {
    if (error instanceof OciUnpackError && error.code === 'BLOB_NOT_FOUND') return undefined
    throw error
  }
}

function statManifest(source: ImageSource, descriptor: Descriptor, raw: Buffer): ImageStat {
  const manifest = parseManifest(raw, documentSource(descriptor))
  return {
    manifest: { descriptor, content: manifest, raw },
    config: statConfig(source, manifest)
  }
}

function statConfig(source: ImageSource, manifest: ImageManifest): ImageStat['config'] {
  const descriptor = manifest.config
  const { kind } = mediaKind(descriptor.mediaType)
  const isEmbedded = (descriptor.data ?? '') !== ''
  if (kind !== 'config' && kind !== 'empty' && !isEmbedded) return undefined
  const raw = source.readDocument(descriptor)
  if (kind !== 'config') return { descriptor, content: undefined, raw, history: [] }
  const content = parseConfig(raw, documentSource(descriptor))
  return { descriptor, content, raw, history: pairHistory(manifest, content) }
}

/** Entries that made a layer are in the order of the layers (image-spec config.md, history). */
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

function assertManifest({ digest, mediaType }: Descriptor): void {
  if (mediaKind(mediaType).kind === 'manifest') return
  throw new OciUnpackError('MEDIA_TYPE_UNSUPPORTED', 'The tag does not name an image.', {
    facts: { file: digest, expected: 'an image manifest or index', found: mediaType }
  })
}
