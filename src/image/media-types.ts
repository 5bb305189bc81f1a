/** The meaning of media types. */
import { OciUnpackError } from '../errors.ts'

/** How a layer is compressed. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** What a media type describes (image-spec media-types.md and its compatibility matrix). */
export type MediaKind =
  | { kind: 'index' }
  | { kind: 'manifest' }
  | { kind: 'config' }
  | { kind: 'layer'; compression: Compression; distributable: boolean }
  | { kind: 'empty' }
  | { kind: 'other' }

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const OCI_FOREIGN_LAYER = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar'
const DOCKER_FOREIGN_LAYER = 'application/vnd.docker.image.rootfs.foreign.diff.tar'

const OTHER: MediaKind = { kind: 'other' }

const KINDS: ReadonlyMap<string, MediaKind> = new Map<string, MediaKind>([
  [OCI_INDEX, { kind: 'index' }],
  ['application/vnd.docker.distribution.manifest.list.v2+json', { kind: 'index' }],
  [OCI_MANIFEST, { kind: 'manifest' }],
  [DOCKER_MANIFEST, { kind: 'manifest' }],
  [OCI_CONFIG, { kind: 'config' }],
  ['application/vnd.docker.container.image.v1+json', { kind: 'config' }],
  ['application/vnd.oci.empty.v1+json', { kind: 'empty' }],
  ...layerTypes(OCI_LAYER, '+', true),
  ...layerTypes(OCI_FOREIGN_LAYER, '+', false),
  ...layerTypes(DOCKER_LAYER, '.', true),
  ...layerTypes(DOCKER_FOREIGN_LAYER, '.', false)
])

/** Those of manifests and indexes. */
export const MANIFEST_TYPES: readonly string[] = [...KINDS.entries()]
  .filter(([, { kind }]) => kind === 'index' || kind === 'manifest')
  .map(([type]) => type)

export function mediaKind(mediaType: string): MediaKind {
  return KINDS.get(mediaType) ?? OTHER
}

/** Whether it is the type of a manifest or an index. */
export function isManifestType(mediaType: string): boolean {
  return MANIFEST_TYPES.includes(mediaType)
}

/** @throws MEDIA_TYPE_UNSUPPORTED if the type is not that of a tar layer */
export function layerCompression(mediaType: string): Compression {
  const kind = mediaKind(mediaType)
  if (kind.kind === 'layer') return kind.compression
  throw new OciUnpackError(
    'MEDIA_TYPE_UNSUPPORTED',
    'A layer has a media type that cannot be unpacked.',
    {
      facts: { found: mediaType },
      hint: mediaType.endsWith('+encrypted')
        ? 'Decrypt the image first, for example with skopeo copy --decryption-key.'
        : 'Layers must be tar archives (plain, gzip or zstd) with OCI or Docker schema 2 media types.'
    }
  )
}

/** The media type of a layer with this compression, in the family (OCI or Docker) of the manifest that gets it. */
export function layerMediaType(
  compression: Compression,
  manifestType: string = OCI_MANIFEST
): string {
  const [base, join] = manifestType === DOCKER_MANIFEST ? [DOCKER_LAYER, '.'] : [OCI_LAYER, '+']
  return compression === 'none' ? base : `${base}${join}${compression}`
}

function layerTypes(base: string, join: string, distributable: boolean): [string, MediaKind][] {
  const compressed = (['gzip', 'zstd'] as const).map((compression): [string, MediaKind] => [
    `${base}${join}${compression}`,
    { kind: 'layer', compression, distributable }
  ])
  return [[base, { kind: 'layer', compression: 'none', distributable }], ...compressed]
}
