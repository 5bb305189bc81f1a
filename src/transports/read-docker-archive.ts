/**
 * Reads what `docker save` and `skopeo copy … docker-archive:FILE` write as a layout with one OCI manifest for each
 * image.
 */
import { Archive } from '../archive/open-archive.ts'
import type { UnpackedArchive } from '../archive/spool-archive.ts'
import { packedWith } from '../codec/content.ts'
import { OciUnpackError } from '../errors.ts'
import { digestOf, type Digest } from '../image/digest.ts'
import { fullDockerName } from '../image/docker-name.ts'
import { parseConfig, parseDockerArchive } from '../image/documents.ts'
import { layerMediaType, OCI_CONFIG, OCI_MANIFEST, type Compression } from '../image/media-types.ts'
import { manifestBytes } from '../image/serialise.ts'
import { REF_NAME } from '../image/tags.ts'
import type { Descriptor, DockerArchiveImage } from '../image/types.ts'
import { documentInvalid } from '../image/validate.ts'
import { imageSource, type BlobPlace, type ImageSource } from '../store/image-source.ts'
import { DEFAULT_MAX_DOCUMENT_SIZE, type LayoutOptions } from '../store/layout.ts'

const HEAD_BYTES = 512

/**
 * The images of a docker-archive. Layers are the tar files in the archive, usually uncompressed; then their digests are
 * the diff IDs. The config is used unchanged, so its digest is Docker's image ID. In the index, the full names
 * (`docker.io/library/debian:12`) are tags; an image without a name gets `@N` for position N, counted from 0.
 * @param unpacked the uncompressed archive, if the one at the path is compressed
 * @throws ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED
 */
export function openDockerArchive(
  path: string,
  options: LayoutOptions = {},
  unpacked?: UnpackedArchive
): ImageSource {
  const limit = options.maxDocumentSize ?? DEFAULT_MAX_DOCUMENT_SIZE
  const archive = new Archive(path, unpacked)
  assertManifest(archive)
  const file = archive.describe('manifest.json')
  const images = parseDockerArchive(archive.read('manifest.json', limit), { file })
  const reading: Reading = { archive, limit, places: new Map(), faults: new Map() }
  const manifests = images.flatMap((image, at) => {
    const manifest = describeImage(reading, image, at)
    return tagsOf(image, at).map((tag) => ({ ...manifest, annotations: { [REF_NAME]: tag } }))
  })
  return imageSource({
    path: archive.path,
    limit,
    hasDefaultTag: false,
    onWarning: options.onWarning,
    close: () => archive.close(),
    readIndex: () => ({ schemaVersion: 2, manifests }),
    locate(digest) {
      const fault = reading.faults.get(digest)
      if (fault !== undefined) throw fault
      return reading.places.get(digest) ?? { path: archive.describe(digest) }
    }
  })
}

interface Reading {
  archive: Archive
  limit: number
  /** Where manifests, configs and layers are. */
  places: Map<Digest, BlobPlace>
  /** Why images cannot be read, by the digests that stand for their manifests. */
  faults: Map<Digest, OciUnpackError>
}

function assertManifest(archive: Archive): void {
  if (archive.has('manifest.json') || !archive.has('repositories')) return
  throw new OciUnpackError('ARCHIVE_INVALID', 'The archive was saved by Docker 1.9 or earlier.', {
    facts: { file: archive.describe('manifest.json'), found: 'missing' },
    hint: 'Its images have no digests. Convert it with docker load and docker save, of Docker 1.10 to 28.'
  })
}

function tagsOf({ RepoTags = [] }: DockerArchiveImage, at: number): string[] {
  return RepoTags.length === 0 ? [`@${at}`] : RepoTags.map(fullDockerName)
}

/** An image that cannot be read keeps its entry, and only reading it fails. */
function describeImage(reading: Reading, image: DockerArchiveImage, at: number): Descriptor {
  try {
    return readImage(reading, image, at)
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code === 'SYSCALL_FAILED') throw error
    const bytes = Buffer.from(JSON.stringify(image))
    const digest = digestOf(bytes)
    reading.faults.set(digest, error)
    return { mediaType: OCI_MANIFEST, digest, size: bytes.length }
  }
}

/** Makes the OCI manifest that the archive lacks. */
function readImage(reading: Reading, image: DockerArchiveImage, at: number): Descriptor {
  const { config, diffIds } = readConfig(reading, image.Config)
  const { length } = image.Layers
  if (length !== diffIds.length) {
    const reason = `has ${length} entries, but the config has ${diffIds.length} diff IDs`
    throw documentInvalid(reading.archive.describe('manifest.json'), `/${at}/Layers`, reason)
  }
  const layers = image.Layers.map((name, index) => describeLayer(reading, name, diffIds[index]!))
  const bytes = manifestBytes({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers })
  const digest = digestOf(bytes)
  reading.places.set(digest, { data: bytes })
  return { mediaType: OCI_MANIFEST, digest, size: bytes.length }
}

function readConfig(
  { archive, limit, places }: Reading,
  name: string
): { config: Descriptor; diffIds: readonly Digest[] } {
  const bytes = archive.read(name, limit)
  const digest = digestOf(bytes)
  assertNamedSo(archive, name, digest)
  places.set(digest, archive.place(name))
  const { rootfs } = parseConfig(bytes, { file: archive.describe(name) })
  return {
    config: { mediaType: OCI_CONFIG, digest, size: bytes.length },
    diffIds: rootfs.diff_ids
  }
}

/** The digest of a config is known only from its name, if the writer follows that custom. */
function assertNamedSo(archive: Archive, name: string, found: Digest): void {
  const expected = digestInName(name)
  if (expected === undefined || expected === found) return
  throw new OciUnpackError(
    'BLOB_DIGEST_MISMATCH',
    'The digest of a config is not the one in its name.',
    {
      facts: { file: archive.describe(name), expected, found },
      hint: 'The archive was damaged or changed; save the image again.'
    }
  )
}

function describeLayer({ archive, places }: Reading, name: string, diffId: Digest): Descriptor {
  const compression = compressionOf(archive, name)
  const digest = compression === 'none' ? diffId : (digestOfBlob(name) ?? archive.digest(name))
  places.set(digest, archive.place(name))
  return { mediaType: layerMediaType(compression), digest, size: archive.size(name) }
}

/** Nothing in the archive says how a layer is compressed, so its first bytes decide. */
function compressionOf(archive: Archive, name: string): Compression {
  const packed = packedWith(archive.head(name, HEAD_BYTES))
  if (packed === undefined) return 'none'
  if (packed === 'gzip' || packed === 'zstd') return packed
  throw new OciUnpackError(
    'MEDIA_TYPE_UNSUPPORTED',
    'A layer is compressed in a way that cannot be read.',
    {
      facts: {
        file: archive.describe(name),
        expected: 'tar, uncompressed, gzip or zstd',
        found: packed
      }
    }
  )
}

/** `HEX.json` in archives of docker save and skopeo, `sha256:HEX` in those of kaniko, crane and ko. */
function digestInName(name: string): Digest | undefined {
  const hex = /^(?:sha256:([0-9a-f]{64})|([0-9a-f]{64})\.json)$/.exec(name)
  return hex === null ? digestOfBlob(name) : (`sha256:${hex[1] ?? hex[2]!}` as Digest)
}

/** In archives of Docker 25 and later and BuildKit. Other names may be digests of anything. */
function digestOfBlob(name: string): Digest | undefined {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1]
  return hex === undefined ? undefined : (`sha256:${hex}` as Digest)
}
