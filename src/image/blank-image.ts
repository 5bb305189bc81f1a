/** An image without layers. */
import { digestOf, type Digest } from './digest.ts'
import { OCI_CONFIG, OCI_MANIFEST } from './media-types.ts'
import { configBytes, manifestBytes } from './serialise.ts'
import type { Descriptor, Platform } from './types.ts'

/**
 * An image without layers, as `umoci new` makes it; `created` is RFC 3339. Blobs are in the order in which to store
 * them.
 */
export function blankImage(
  { os, architecture, variant }: Platform,
  created: string
): { blobs: readonly { digest: Digest; bytes: Buffer }[]; manifest: Descriptor } {
  const config = configBytes({
    created,
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {},
    rootfs: { type: 'layers', diff_ids: [] }
  })
  const manifest = manifestBytes({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: describe(OCI_CONFIG, config),
    layers: []
  })
  return {
    blobs: [config, manifest].map((bytes) => ({ digest: digestOf(bytes), bytes })),
    manifest: describe(OCI_MANIFEST, manifest)
  }
}

function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}
