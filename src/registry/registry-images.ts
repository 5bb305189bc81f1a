/** The images of a repository of a registry, as a source that others read. */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { parseIndex } from '../image/documents.ts'
import { isManifestType, OCI_INDEX } from '../image/media-types.ts'
import { REF_NAME } from '../image/tags.ts'
import type { Descriptor, ImageIndex } from '../image/types.ts'
import type { BlobOrigin } from '../store/blob-source.ts'
import {
  imageSource,
  type BlobPlace,
  type ImageSource,
  type OnWarning
} from '../store/image-source.ts'
import { forSeveral } from '../store/several.ts'
import { Deliveries, type DeliveredKind } from './deliveries.ts'
import type { RegistryBlob, RegistryClient, Repository } from './registry.ts'

/** Connections to one repository. */
export interface RepositoryAccess {
  repository: Repository
  /** Who answers: the registry, or a mirror. */
  origin: BlobOrigin
  client: RegistryClient
  deliveries: Deliveries
  /** Ends all that is under way, in order: whoever waits for it gets ABORTED. */
  readonly stop: () => void
  /** Ends both at once. */
  readonly close: () => void
}

interface Opening {
  /** A tag, or a digest. */
  reference: string
  /** The largest document, in bytes. */
  limit: number
  onWarning: OnWarning | undefined
}

/** So many documents are fetched at once. */
const AT_ONCE = 6

/**
 * Fetches what the reference means. Its index has this one entry.
 * @throws what `RegistryClient.document` throws
 */
export async function openRegistryImages(
  access: RepositoryAccess,
  { reference, limit, onWarning }: Opening
): Promise<ImageSource> {
  const { client, repository } = access
  const { bytes, digest, mediaType } = await client.document(reference, limit)
  const root: Descriptor = { mediaType, digest, size: bytes.length }
  const documents = new Documents(access, limit)
  documents.keep(digest, bytes)
  const tagged = reference === digest ? root : { ...root, annotations: { [REF_NAME]: reference } }
  const index: ImageIndex = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [tagged] }
  const source = imageSource({
    path: `//${repository.host}/${repository.name}`,
    limit,
    hasDefaultTag: false,
    onWarning: (message, facts) => {
      if (!documents.isPreparing) onWarning?.(message, facts)
    },
    readIndex: () => index,
    locate: (digest, size) => documents.place(digest, size),
    close: () => access.close()
  })
  return {
    ...source,
    repository,
    readDocument: (descriptor) => documents.read(descriptor, source),
    blobPart: ({ digest, size }, offset, length) =>
      partOf(client, { digest, size }, offset, Math.min(size, offset + length)),
    isThere: ({ digest, size }) => client.hasBlob({ digest, size }),
    referrers: async (digest) => {
      const bytes = await client.referrers(digest)
      return parseIndex(bytes, { file: `referrers of ${digest}` }).manifests
    },
    tagged: async (tag) => {
      if (!(await client.hasDocument(tag))) return undefined
      const { bytes, digest, mediaType } = await client.document(tag, limit)
      documents.keep(digest, bytes)
      return { mediaType, digest, size: bytes.length }
    },
    prepare: (reading) => documents.prepare(reading)
  }
}

const NO_PAUSE = (): Promise<void> => Promise.resolve()

/** Those that were fetched, and those that a reading lacks. */
class Documents {
  isPreparing = false
  private readonly kept = new Map<Digest, Buffer>()
  private readonly absent = new Set<Digest>()
  private readonly missing = new Map<Digest, Descriptor>()
  private readonly access: RepositoryAccess
  private readonly limit: number
  /** As what the registry has the next blob. */
  private kind: DeliveredKind = 'blob'

  constructor(access: RepositoryAccess, limit: number) {
    this.access = access
    this.limit = limit
  }

  keep(digest: Digest, bytes: Buffer): void {
    this.kept.set(digest, bytes)
  }

  place(digest: Digest, size: number): BlobPlace {
    const { origin } = this.access
    const data = this.kept.get(digest)
    if (data !== undefined) return { origin, data }
    return {
      origin,
      arriving: this.access.deliveries.expect({ digest, size }, this.kind)
    }
  }

  /** A document that was not prepared is waited for. */
  read(descriptor: Descriptor, source: ImageSource): Buffer {
    if (this.isPreparing && this.isMissing(descriptor)) {
      this.missing.set(descriptor.digest, descriptor)
      throw new OciUnpackError('BLOB_NOT_FOUND', 'The document has not been fetched yet.')
    }
    // registries keep manifests and indexes apart from other blobs
    this.kind = isManifestType(descriptor.mediaType) ? 'document' : 'blob'
    try {
      return source.readDocument(descriptor)
    } finally {
      this.kind = 'blob'
    }
  }

  async prepare(reading: () => void): Promise<void> {
    for (;;) {
      this.missing.clear()
      this.attempt(reading)
      if (this.missing.size === 0) return
      await this.fetchMissing()
    }
  }

  private attempt(reading: () => void): void {
    this.isPreparing = true
    try {
      reading()
    } catch (error) {
      if (!(error instanceof OciUnpackError)) throw error
    } finally {
      this.isPreparing = false
    }
  }

  /** What is not of a size that a document may have is refused when it is read in earnest. */
  private isMissing({ digest, size, data }: Descriptor): boolean {
    if (this.kept.has(digest) || this.absent.has(digest)) return false
    return (data === undefined || data === '') && size <= this.limit
  }

  private async fetchMissing(): Promise<void> {
    const missing = [...this.missing.values()]
    await forSeveral(missing, AT_ONCE, NO_PAUSE, (descriptor) => this.fetch(descriptor))
  }

  /** What is not there is found missing by the reading in earnest. */
  private async fetch(descriptor: Descriptor): Promise<void> {
    try {
      this.keep(descriptor.digest, await this.bytesOf(descriptor))
    } catch (error) {
      if (!(error instanceof OciUnpackError) || !ABSENT.includes(error.code)) throw error
      this.absent.add(descriptor.digest)
    }
  }

  private async bytesOf(descriptor: Descriptor): Promise<Buffer> {
    const { client } = this.access
    const { digest, size } = descriptor
    if (isManifestType(descriptor.mediaType))
      return (await client.document(digest, this.limit)).bytes
    return partOf(client, { digest, size }, 0, size)
  }
}

async function partOf(
  client: RegistryClient,
  blob: RegistryBlob,
  start: number,
  end: number
): Promise<Buffer> {
  const parts: Buffer[] = []
  const take = (bytes: Buffer): Promise<void> => {
    parts.push(Buffer.from(bytes))
    return Promise.resolve()
  }
  await client.blob(blob, start, take, end)
  return Buffer.concat(parts)
}

const ABSENT: readonly string[] = ['BLOB_NOT_FOUND', 'MANIFEST_NOT_FOUND']
