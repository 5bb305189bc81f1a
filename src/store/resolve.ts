/** Finds the image that a name refers to. */
import { OciUnpackError } from '../errors.ts'
import { pathPlatform, selectManifest, target, type DescriptorPath } from '../image/choice.ts'
import {
  assertExecution,
  layerDiffIds,
  parseConfig,
  parseIndex,
  parseManifest
} from '../image/documents.ts'
import { mediaKind } from '../image/media-types.ts'
import { hostPlatform, platformDistance, platformText } from '../image/platform.ts'
import type {
  Descriptor,
  ImageConfig,
  ImageIndex,
  ImageManifest,
  Platform
} from '../image/types.ts'
import { printable } from '../image/validate.ts'
import { findEntry } from './find-entry.ts'
import type { ImageSource } from './image-source.ts'
import { documentSource, manifestsInIndex } from './manifests-in-index.ts'
import { ownPlatform } from './own-platform.ts'

export interface ResolvedImage {
  /** From the entry of index.json (first) to the manifest (last): umoci.json's `descriptor_walk`. */
  descriptorPath: DescriptorPath
  manifest: ImageManifest
  config: ImageConfig
  /** The documents as they are stored. */
  rawManifest: Buffer
  rawConfig: Buffer
}

/**
 * The image with a name, as `findEntry` finds it. The platform chooses among the manifests of an index; the
 * default is that of the host. A tag that names a manifest directly needs no platform, but has to match one that is
 * given.
 * @throws TAG_*, PLATFORM_*, BLOB_*, DOCUMENT_INVALID, MEDIA_TYPE_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function resolveImage(
  source: ImageSource,
  tag: string | undefined,
  platform?: Platform
): ResolvedImage {
  const entry = findEntry(source, tag)
  const descriptorPath = isIndex(entry)
    ? choose(source, entry, platform ?? hostPlatform())
    : ([entry] as const)
  const image = readImage(source, descriptorPath)
  if (platform !== undefined) assertPlatform(image, platform)
  return image
}

/**
 * What a tag refers to: for an index the index itself, unless a platform chooses one of its manifests.
 * @throws TAG_*, PLATFORM_*, BLOB_*, DOCUMENT_INVALID, LIMIT_EXCEEDED
 */
export function findDescriptor(
  source: ImageSource,
  index: ImageIndex,
  tag: string | undefined,
  platform: Platform | undefined
): Descriptor {
  const entry = findEntry(source, tag, index)
  return platform === undefined || !isIndex(entry) ? entry : target(choose(source, entry, platform))
}

function isIndex({ mediaType }: Descriptor): boolean {
  return mediaKind(mediaType).kind === 'index'
}

function choose(source: ImageSource, index: Descriptor, platform: Platform): DescriptorPath {
  const offered = manifestsInIndex(source, index)
  return selectManifest(offered, platform, (descriptor) => ownPlatform(source, descriptor))
}

/** The image at the end of a path, whatever its platform. @throws what `resolveImage` throws */
export function readImage(source: ImageSource, descriptorPath: DescriptorPath): ResolvedImage {
  const descriptor = target(descriptorPath)
  assertKind(descriptor, 'manifest')
  const rawManifest = source.readDocument(descriptor)
  const manifest = parseManifest(rawManifest, documentSource(descriptor))
  assertKind(manifest.config, 'config')
  const rawConfig = source.readDocument(manifest.config)
  const config = parseConfig(rawConfig, documentSource(manifest.config))
  return { descriptorPath, manifest, config, rawManifest, rawConfig }
}

/** For those who read the layers. @throws DOCUMENT_INVALID if the config does not have a diff ID for each */
export function assertLayers({ manifest, rawConfig }: ResolvedImage): void {
  layerDiffIds(manifest, rawConfig, documentSource(manifest.config))
}

/** For those who run the image. @throws DOCUMENT_INVALID if the config has settings that cannot be read */
export function assertRunnable({ manifest, rawConfig }: ResolvedImage): void {
  assertExecution(rawConfig, documentSource(manifest.config))
}

/** The indexes of a path, outermost first: all its documents except the manifest. @throws what `resolveImage` throws */
export function readIndexes(source: ImageSource, descriptorPath: DescriptorPath): ImageIndex[] {
  return descriptorPath
    .slice(0, -1)
    .map((descriptor) => parseIndex(source.readDocument(descriptor), documentSource(descriptor)))
}

function assertKind(descriptor: Descriptor, expected: 'manifest' | 'config'): void {
  const { kind } = mediaKind(descriptor.mediaType)
  if (kind === expected) return
  throw new OciUnpackError('MEDIA_TYPE_UNSUPPORTED', 'This is not an image that can be unpacked.', {
    facts: {
      file: descriptor.digest,
      expected: `an image ${expected}`,
      found: descriptor.mediaType
    },
    hint: 'Images of the OCI and Docker schema 2 media types are supported; skopeo copy --format oci converts older ones.'
  })
}

/** What an image does not say of its platform excludes nothing. */
function known(offered: Platform, wanted: Platform): Platform {
  const { os, architecture } = offered
  return {
    ...offered,
    os: os === '' ? wanted.os : os,
    architecture: architecture === '' ? wanted.architecture : architecture
  }
}

function assertPlatform({ config, descriptorPath }: ResolvedImage, wanted: Platform): void {
  const offered = known(pathPlatform(descriptorPath) ?? config, wanted)
  if (platformDistance(wanted, offered) !== undefined) return
  throw new OciUnpackError('PLATFORM_NOT_FOUND', 'The image does not exist for this platform.', {
    facts: { platform: platformText(wanted), available: printable(platformText(offered)) },
    hint: 'Leave out {platform} to use the image anyway.'
  })
}
