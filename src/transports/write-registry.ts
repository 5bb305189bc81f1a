/** Writes an image to a registry: what the registry lacks, parts before the whole, and the tag last. */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { isManifestType } from '../image/media-types.ts'
import { digestNamed } from '../image/tags.ts'
import type { Descriptor } from '../image/types.ts'
import { faultOfTag } from '../registry/reference.ts'
import type { RegistryClient, Repository } from '../registry/registry.ts'
import { blobChunks, type CopyOutcome } from '../store/copy-blob.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { ReachableBlob } from '../store/reachable.ts'
import { forSeveral, type Breathe } from '../store/several.ts'
import { blobsToCopy } from './blobs-to-copy.ts'
import { sizeOf, TransferMeter } from './transfer-meter.ts'
import type { ImageToWrite, TransferHelp } from './transport.ts'

/** So many blobs are uploaded at once. */
const AT_ONCE = 3

export interface RegistryDestination {
  repository: Repository
  client: RegistryClient
  /** Ends all that is under way, in order. */
  stop: () => void
  /** Or `@DIGEST`: the image must have that digest, and gets no tag. */
  tag: string
}

/** @throws REGISTRY_*, BLOB_*, and what reading the image throws */
export async function writeRegistry(
  { repository, client, tag, stop }: RegistryDestination,
  image: ImageToWrite,
  help: TransferHelp
): Promise<Digest> {
  const digest = digestNamed(tag)
  if (digest === undefined) assertTag(tag)
  const { root, referrers, blobs } = await blobsToCopy(image, help)
  if (digest !== undefined && root.digest !== digest) throw otherDigest(digest, root.digest)
  const [documents, plain] = partition(blobs)
  const meter = new TransferMeter(sizeOf(plain), help.onEvent)
  const sibling = siblingOf(image.source, repository)
  const upload = new Upload(client, image.source, sibling, help, meter)
  const bring = ({ descriptor }: ReachableBlob, breathe: Breathe): Promise<void> =>
    upload.blob(descriptor, breathe)
  await forSeveral(plain, AT_ONCE, help.breathe, bring, stop)
  const below = documents.filter(({ descriptor }) => descriptor.digest !== root.digest)
  for (const { descriptor } of below) {
    const refers = referrers.filter((it) => it.descriptor.digest === descriptor.digest)
    const tags = refers.flatMap(({ tag }) => tag ?? [])
    for (const reference of tags.length === 0 ? [descriptor.digest] : tags)
      await upload.document(descriptor, reference, refers.length > 0)
  }
  await upload.document(root, digest ?? tag, false)
  return root.digest
}

/** Registries take fewer tags than layouts do. @throws REFERENCE_INVALID */
function assertTag(tag: string): void {
  if (faultOfTag(tag) === undefined) return
  throw new OciUnpackError('REFERENCE_INVALID', 'A registry cannot have this tag.', {
    facts: { found: tag },
    hint: 'A tag there has up to 128 letters, digits, _ . and -, and begins with neither . nor -.'
  })
}

function otherDigest(expected: Digest, found: Digest): OciUnpackError {
  return new OciUnpackError(
    'REFERENCE_INVALID',
    'The image has another digest than its new name.',
    {
      facts: { expected, found },
      hint: 'A name with a digest is for the image that has this digest. Give a tag, or the digest that was found; {platform} chooses one image of an index.'
    }
  )
}

/** The repository that blobs can be mounted from. */
function siblingOf({ repository }: ImageSource, to: Repository): string | undefined {
  return repository?.host === to.host && repository.name !== to.name ? repository.name : undefined
}

/** A blob that occurs several times is uploaded once. */
function partition(blobs: readonly ReachableBlob[]): [ReachableBlob[], ReachableBlob[]] {
  const distinct = [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()]
  return [
    distinct.filter(({ descriptor }) => isManifestType(descriptor.mediaType)),
    distinct.filter(({ descriptor }) => !isManifestType(descriptor.mediaType))
  ]
}

class Upload {
  private readonly client: RegistryClient
  private readonly source: ImageSource
  private readonly sibling: string | undefined
  private readonly help: TransferHelp
  private readonly meter: TransferMeter

  constructor(
    client: RegistryClient,
    source: ImageSource,
    sibling: string | undefined,
    help: TransferHelp,
    meter: TransferMeter
  ) {
    this.client = client
    this.source = source
    this.sibling = sibling
    this.help = help
    this.meter = meter
  }

  async blob(descriptor: Descriptor, breathe: Breathe): Promise<void> {
    const outcome = await this.bring(descriptor, breathe)
    if (outcome !== 'copied') this.meter.skip(descriptor.size)
    this.tell(descriptor, outcome)
  }

  /**
   * A document that the registry has needs no upload, unless it refers to another: whoever brought it may not have got so
   * far as to have it listed.
   */
  async document(descriptor: Descriptor, reference: string, refers: boolean): Promise<void> {
    const { client, source, help } = this
    await help.breathe()
    const { digest, mediaType } = descriptor
    const isThere = reference === digest && !refers && (await client.hasDocument(digest))
    if (!isThere)
      await client.putDocument(reference, { bytes: source.readDocument(descriptor), mediaType })
    this.tell(descriptor, isThere ? 'present' : 'copied')
  }

  private async bring(descriptor: Descriptor, breathe: Breathe): Promise<CopyOutcome> {
    const { client, source, sibling } = this
    const { digest, size } = descriptor
    const blob = { digest, size }
    if (await client.hasBlob(blob)) return 'present'
    if (sibling !== undefined && (await client.mount(blob, sibling))) return 'mounted'
    const count = this.counter()
    await client.upload(blob, (offset) =>
      from(offset, blobChunks(source.blobSource(descriptor), breathe), count)
    )
    return 'copied'
  }

  /** What is sent once more after a failure does not count. */
  private counter(): (reached: number) => void {
    let counted = 0
    return (reached) => {
      if (reached <= counted) return
      this.meter.add(reached - counted)
      counted = reached
    }
  }

  private tell({ digest, size }: Descriptor, outcome: CopyOutcome): void {
    this.help.onEvent({ type: 'blob', digest, size, outcome })
  }
}

/**
 * What was sent before a connection broke is read again, because the whole is verified. `reach` is told how far the
 * bytes go that were taken.
 */
async function* from(
  offset: number,
  chunks: AsyncIterable<Buffer>,
  reach: (end: number) => void
): AsyncGenerator<Buffer> {
  let end = 0
  for await (const chunk of chunks) {
    const begin = end
    end += chunk.length
    if (end <= offset) continue
    yield chunk.subarray(Math.max(offset - begin, 0))
    reach(end)
  }
}
