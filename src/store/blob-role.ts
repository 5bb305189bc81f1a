/** What a blob is for. */
import { isManifestType, mediaKind } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'

/** `other` is a blob that is treated as plain bytes: part of an artifact, an encrypted layer, an unknown manifest. */
export type BlobRole = 'index' | 'manifest' | 'config' | 'layer' | 'other'

export function isDistributable({ mediaType }: Descriptor): boolean {
  const kind = mediaKind(mediaType)
  return kind.kind !== 'layer' || kind.distributable
}

/**
 * What besides the role decides how a blob is read: the same layer may be a Docker layer in one image and an OCI layer
 * in another.
 */
export function readAs({ mediaType }: Descriptor): string {
  const kind = mediaKind(mediaType)
  if (kind.kind === 'layer') return kind.compression
  return isManifestType(mediaType) ? mediaType : ''
}

export function roleOf({ mediaType }: Descriptor): BlobRole {
  const { kind } = mediaKind(mediaType)
  return kind === 'empty' ? 'other' : kind
}
