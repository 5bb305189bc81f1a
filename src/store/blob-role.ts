/** The role of a blob in its image. */
import { mediaKind } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'

/** `other` is a blob that is only bytes here: of an artifact, an encrypted layer, an unknown manifest. */
export type BlobRole = 'index' | 'manifest' | 'config' | 'layer' | 'other'

export function isDistributable({ mediaType }: Descriptor): boolean {
  const kind = mediaKind(mediaType)
  return kind.kind !== 'layer' || kind.distributable
}

/** What else than the role decides how a blob is read: a layer may be a Docker one in one image, an OCI one in another. */
export function readAs({ mediaType }: Descriptor): string {
  const kind = mediaKind(mediaType)
  if (kind.kind === 'layer') return kind.compression
  return kind.kind === 'index' || kind.kind === 'manifest' ? mediaType : ''
}

export function roleOf({ mediaType }: Descriptor): BlobRole {
  const { kind } = mediaKind(mediaType)
  return kind === 'empty' ? 'other' : kind
}
