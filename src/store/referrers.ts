/**
 * What refers to an image: signatures, SBOMs, attestations (image-spec manifest.md, `subject`), also those that cosign
 * attaches by tags.
 */
import { cosignTags, savedTag } from '../image/cosign.ts'
import type { Digest } from '../image/digest.ts'
import { parseIndex, parseManifest } from '../image/documents.ts'
import { isManifestType, mediaKind } from '../image/media-types.ts'
import { entriesNamed } from '../image/tags.ts'
import type { Descriptor } from '../image/types.ts'
import { prepared, type ImageSource } from './image-source.ts'
import { documentSource } from './manifests-in-index.ts'
import { reachableBlobs } from './reachable.ts'
import { forSeveral } from './several.ts'

export interface Referrer {
  descriptor: Descriptor
  /** What it refers to. */
  subject: Digest
  /** The tag by which cosign finds it. Undefined if it names its subject itself. */
  tag: string | undefined
}

async function referrersOf(source: ImageSource, subject: Digest): Promise<Referrer[]> {
  const naming = await namingReferrers(source, subject)
  const attached = await attachedTo(source, subject)
  return [...naming.map((descriptor) => ({ descriptor, subject, tag: undefined })), ...attached]
}

/** The manifests and indexes whose subject has the digest. What cannot be read refers to nothing. */
async function namingReferrers(
  source: ImageSource,
  digest: Digest
): Promise<readonly Descriptor[]> {
  if (source.referrers !== undefined) return source.referrers(digest)
  const { manifests } = source.readIndex()
  return manifests.filter((entry) => subjectOf(source, entry)?.digest === digest)
}

async function attachedTo(source: ImageSource, subject: Digest): Promise<Referrer[]> {
  const find = source.tagged ?? inIndex(source, subject)
  const found = await Promise.all(
    cosignTags(subject).map(async (tag) => ({ tag, descriptor: await find(tag) }))
  )
  return found.flatMap(({ tag, descriptor }) =>
    descriptor === undefined ? [] : [{ descriptor, subject, tag }]
  )
}

function inIndex(source: ImageSource, subject: Digest): Required<ImageSource>['tagged'] {
  const index = source.readIndex()
  const image = index.manifests.find(({ digest }) => digest === subject)
  return (tag) => {
    const saved = index.manifests.find((entry) => image && savedTag(image, entry) === tag)
    return Promise.resolve(entriesNamed(index, tag)[0] ?? saved)
  }
}

function subjectOf(source: ImageSource, entry: Descriptor): Descriptor | undefined {
  if (!isManifestType(entry.mediaType)) return undefined
  const parse = mediaKind(entry.mediaType).kind === 'index' ? parseIndex : parseManifest
  try {
    return parse(source.readDocument(entry), documentSource(entry)).subject
  } catch {
    return undefined
  }
}

/** Referrers can have referrers: the signature of an SBOM. */
const MAX_DEPTH = 8

/** So many are asked for at once. */
const AT_ONCE = 6
const NO_PAUSE = (): Promise<void> => Promise.resolve()

/** Whatever refers to an image, to one of the images of an index, or to another referrer. */
export async function imageReferrers(source: ImageSource, root: Descriptor): Promise<Referrer[]> {
  const blobs = await prepared(source, () => reachableBlobs(source, [root]))
  const manifests = blobs
    .filter(({ role }) => role === 'manifest' || role === 'index')
    .map(({ descriptor }) => descriptor.digest)
  return allReferrers(source, manifests)
}

/** Without repetitions, except that a document may have several tags. */
async function allReferrers(
  source: ImageSource,
  manifests: readonly Digest[]
): Promise<Referrer[]> {
  const found = new Map<string, Referrer>()
  const seen = new Set(manifests)
  let level = [...seen]
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: Digest[] = []
    for (const referrer of await referrersOfAll(source, level)) {
      const { descriptor, tag } = referrer
      const { digest } = descriptor
      const key = `${digest} ${tag ?? ''}`
      if (manifests.includes(digest) || found.has(key)) continue
      found.set(key, referrer)
      if (!seen.has(digest)) next.push(digest)
      seen.add(digest)
    }
    level = next
  }
  return [...found.values()]
}

async function referrersOfAll(
  source: ImageSource,
  digests: readonly Digest[]
): Promise<Referrer[]> {
  const found = new Map<Digest, Referrer[]>()
  await forSeveral(digests, AT_ONCE, NO_PAUSE, async (digest) => {
    found.set(digest, await referrersOf(source, digest))
  })
  return digests.flatMap((digest) => found.get(digest)!)
}
