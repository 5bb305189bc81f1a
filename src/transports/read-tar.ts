/** Reads an archive of a root file system as an image of one layer, which depends on nothing but the archive. */
import { openTree, type TreeLayer } from '../archive/open-tree.ts'
import { digestOf, type Digest } from '../image/digest.ts'
import { layerMediaType, OCI_CONFIG, OCI_MANIFEST } from '../image/media-types.ts'
import { hostPlatform } from '../image/platform.ts'
import { configBytes, manifestBytes } from '../image/serialise.ts'
import type { Descriptor } from '../image/types.ts'
import { imageSource, type BlobPlace, type ImageSource } from '../store/image-source.ts'
import { DEFAULT_MAX_DOCUMENT_SIZE } from '../store/layout.ts'
import type { OpenOptions } from './transport.ts'

/** @throws what `openTree` throws */
export async function openTarImage(path: string, options: OpenOptions): Promise<ImageSource> {
  const layer = await openTree(path, options.signal)
  for (const message of layer.warnings) options.onWarning?.(message, { file: layer.path })
  const { manifest, places } = documentsOf(layer)
  return imageSource({
    path: layer.path,
    limit: options.maxDocumentSize ?? DEFAULT_MAX_DOCUMENT_SIZE,
    hasDefaultTag: false,
    onWarning: options.onWarning,
    close: () => layer.close(),
    readIndex: () => ({ schemaVersion: 2, manifests: [manifest] }),
    locate: (digest) => places.get(digest) ?? { path: `${layer.path}/${digest}` }
  })
}

/** Neither times nor names of this machine; it gives its architecture to a file system without programs. */
function documentsOf(layer: TreeLayer): {
  manifest: Descriptor
  places: ReadonlyMap<Digest, BlobPlace>
} {
  const { digest, size, compression, diffId, path, fd } = layer
  const { architecture } = layer
  const config = configBytes({
    ...(architecture === undefined ? hostPlatform() : { architecture, os: 'linux' }),
    config: {},
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ comment: 'Imported from a tar archive' }]
  })
  const manifest = manifestBytes({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: describe(OCI_CONFIG, config),
    layers: [{ mediaType: layerMediaType(compression), digest, size }]
  })
  return {
    manifest: describe(OCI_MANIFEST, manifest),
    places: new Map<Digest, BlobPlace>([
      [digestOf(manifest), { data: manifest }],
      [digestOf(config), { data: config }],
      [digest, fd === undefined ? { path } : { path, fd }]
    ])
  }
}

function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}
