/** Tells images from artifacts, which use manifests for something else. */
import { mediaKind } from './media-types.ts'
import type { Descriptor, ImageManifest } from './types.ts'

/**
 * Whether a manifest describes a root file system. Anything else is an artifact, whose blobs have no meaning here:
 * signatures, attestations, charts and disk images, some of which have the config of an image. What BuildKit stores
 * beside an image gives the digest of a statement as a diff ID.
 */
export function isRootFilesystem({ config, layers }: ImageManifest): boolean {
  if (mediaKind(config.mediaType).kind !== 'config') return false
  return layers.length === 0 || layers.some(isLayer)
}

/** One that is encrypted, or compressed in an unknown way, is one, although it cannot be unpacked. */
function isLayer({ mediaType }: Descriptor): boolean {
  return [mediaType, mediaType.replace(/\+.*$/s, '')].some(
    (type) => mediaKind(type).kind === 'layer'
  )
}
