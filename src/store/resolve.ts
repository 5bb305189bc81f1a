import { OciUnpackError } from '../errors.ts'
import { pathPlatform, selectManifest, target, type DescriptorPath } from '../image/choice.ts'
import { layerDiffIds, parseConfig, parseIndex, parseManifest } from '../image/documents.ts'
import { mediaKind } from '../image/media-types.ts'
import { hostPlatform, platformDistance, platformText } from '../image/platform.ts'
import type {
  Descriptor,
  ImageConfig,
  ImageIndex,
  ImageManifest,
  Platform
} from '../image/types.ts'
import { findTag } from '../image/tags.ts'
import type { Layout } from './layout.ts'

export interface ResolvedImage {
  /** From the entry of index.json (first) to the manifest (last): umoci.json's `descriptor_walk`. */
  descriptorPath: DescriptorPath
  manifest: ImageManifest
  config: ImageConfig
  /** The documents as stored. */
  rawManifest: Buffer
  rawConfig: Buffer
}

/** Nested indexes deeper than this are refused; real ones nest once or twice. */
const MAX_INDEX_DEPTH = 16

/** Manifests that one tag may lead to; a real index holds a few dozen. */
const MAX_MANIFESTS = 10_000

/**
 * The image of a tag. Among the manifests of an index the platform decides, by default the host's; a tag that
 * names a manifest directly needs no platform, but one that is given must fit.
 * Throws TAG_*, PLATFORM_*, BLOB_*, DOCUMENT_INVALID, MEDIA_TYPE_UNSUPPORTED, LIMIT_EXCEEDED.
 */
export function resolveImage(layout: Layout, tag: string, platform?: Platform): ResolvedImage {
  const entry = findTag(layout.readIndex(), tag)
  const descriptorPath =
    mediaKind(entry.mediaType).kind === 'index'
      ? selectFromIndex(layout, entry, platform ?? hostPlatform())
      : ([entry] as const)
  const image = readImage(layout, descriptorPath)
  if (platform !== undefined) assertPlatform(image, platform)
  return image
}

/** The image at the end of a path, whatever its platform. Throws as `resolveImage` does. */
export function readImage(layout: Layout, descriptorPath: DescriptorPath): ResolvedImage {
  const descriptor = target(descriptorPath)
  assertKind(descriptor, 'manifest')
  const rawManifest = layout.readDocument(descriptor)
  const manifest = parseManifest(rawManifest, source(descriptor))
  assertKind(manifest.config, 'config')
  const rawConfig = layout.readDocument(manifest.config)
  const config = parseConfig(rawConfig, source(manifest.config))
  layerDiffIds(manifest, config, manifest.config.digest)
  return { descriptorPath, manifest, config, rawManifest, rawConfig }
}

/** The indexes of a path, outermost first: all of its documents but the manifest. Throws as `resolveImage` does. */
export function readIndexes(layout: Layout, descriptorPath: DescriptorPath): ImageIndex[] {
  return descriptorPath
    .slice(0, -1)
    .map((descriptor) => parseIndex(layout.readDocument(descriptor), source(descriptor)))
}

function selectFromIndex(layout: Layout, entry: Descriptor, wanted: Platform): DescriptorPath {
  const found: Found = { manifests: [], visited: new Set(), missing: undefined }
  collect(layout, [entry], found)
  if (found.manifests.length === 0 && found.missing !== undefined) throw found.missing
  return selectManifest(found.manifests, wanted)
}

interface Found {
  manifests: DescriptorPath[]
  /** Digests of indexes: one that is reached by many ways is read once. */
  visited: Set<string>
  /** A nested index that is absent, as image-layout.md allows, matters only where nothing else is there. */
  missing: OciUnpackError | undefined
}

function collect(layout: Layout, path: DescriptorPath, found: Found): void {
  const descriptor = target(path)
  if (found.visited.has(descriptor.digest)) return
  found.visited.add(descriptor.digest)
  if (path.length > MAX_INDEX_DEPTH) throw tooMany('nested indexes', MAX_INDEX_DEPTH)
  const index = parseIndex(layout.readDocument(descriptor), source(descriptor))
  for (const child of index.manifests) {
    const kind = mediaKind(child.mediaType).kind
    if (kind === 'manifest') found.manifests.push([...path, child])
    else if (kind === 'index') collectNested(layout, [...path, child], found)
    if (found.manifests.length > MAX_MANIFESTS) throw tooMany('manifests', MAX_MANIFESTS)
  }
}

function collectNested(layout: Layout, path: DescriptorPath, found: Found): void {
  try {
    collect(layout, path, found)
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'BLOB_NOT_FOUND') throw error
    found.missing ??= error
  }
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

function assertPlatform({ config, descriptorPath }: ResolvedImage, wanted: Platform): void {
  const offered = pathPlatform(descriptorPath) ?? config
  if (platformDistance(wanted, offered) !== undefined) return
  throw new OciUnpackError('PLATFORM_NOT_FOUND', 'The image does not exist for this platform.', {
    facts: { platform: platformText(wanted), available: platformText(offered) },
    hint: 'Leave the platform out to unpack the image all the same.'
  })
}

function source(descriptor: Descriptor): { file: string; mediaType: string } {
  return { file: descriptor.digest, mediaType: descriptor.mediaType }
}

function tooMany(what: string, limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', `The image has too many ${what}.`, {
    facts: { expected: `at most ${limit}` },
    hint: 'The index leads to itself or was made to exhaust the reader; use an index of its own for the image.'
  })
}
