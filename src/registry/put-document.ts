/**
 * Stores manifests and indexes. A registry without the referrers API does not notice what one of them refers to, so a
 * tag lists that (distribution-spec, Pushing Manifests with Subject).
 */
import { OciUnpackError } from '../errors.ts'
import { isDigest, type Digest } from '../image/digest.ts'
import { mediaKind, OCI_INDEX } from '../image/media-types.ts'
import {
  fetchDocument,
  parseObject,
  storeDocument,
  type DocumentToStore,
  type StoredDocument
} from './documents.ts'
import { isObject } from './read-body.ts'
import { MAX_INDEX, referrersTag } from './referrers.ts'
import type { Requests } from './requests.ts'

/** @throws LIMIT_EXCEEDED if the list becomes too long, REGISTRY_*, ABORTED */
export async function putDocument(
  requests: Requests,
  reference: string,
  document: DocumentToStore
): Promise<Digest> {
  const stored = await storeDocument(requests, reference, document)
  if (!stored.isListed) await list(requests, document, stored)
  return stored.digest
}

/** Two clients that do this at once can overwrite each other: registries offer no way to prevent that. */
async function list(
  requests: Requests,
  document: DocumentToStore,
  { digest }: StoredDocument
): Promise<void> {
  const content = parseObject(document.bytes) ?? {}
  const { subject } = content
  if (!isObject(subject) || typeof subject.digest !== 'string' || !isDigest(subject.digest)) return
  const index = await readList(requests, subject.digest)
  if (index === undefined || index.manifests.some((entry) => digestOf(entry) === digest)) return
  const entry = {
    mediaType: document.mediaType,
    digest,
    size: document.bytes.length,
    ...aboutContent(content)
  }
  const longer = { ...index, manifests: [...index.manifests, entry] }
  const bytes = Buffer.from(JSON.stringify(longer))
  if (bytes.length > MAX_INDEX) throw tooLong(subject.digest)
  await storeDocument(requests, referrersTag(subject.digest), { bytes, mediaType: OCI_INDEX })
}

interface List extends Record<string, unknown> {
  manifests: readonly unknown[]
}

/** Undefined: the tag belongs to something else, which stays. */
async function readList(requests: Requests, subject: Digest): Promise<List | undefined> {
  const tag = referrersTag(subject)
  const none: List = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }
  try {
    const { bytes, mediaType, digest } = await fetchDocument(requests, tag, MAX_INDEX)
    // GitLab takes the tag for the digest, and sends the subject itself
    if (digest === subject) return none
    const manifests = parseObject(bytes)?.manifests
    if (mediaKind(mediaType).kind === 'index' && Array.isArray(manifests))
      return { ...parseObject(bytes), manifests }
    const message =
      'A tag that should list what refers to an image is something else, and stays so.'
    const facts = { host: requests.session.repository.host, expected: tag, found: mediaType }
    requests.session.report({ type: 'warning', message, facts })
    return undefined
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'MANIFEST_NOT_FOUND') throw error
    return none
  }
}

function digestOf(entry: unknown): unknown {
  return isObject(entry) ? entry.digest : undefined
}

/** What the entry says about the document. The type of a manifest without one is that of its config. */
function aboutContent({ artifactType, config, annotations }: Record<string, unknown>): object {
  const type = artifactType ?? (isObject(config) ? config.mediaType : undefined)
  return {
    ...(typeof type === 'string' && type !== '' ? { artifactType: type } : {}),
    ...(isObject(annotations) ? { annotations } : {})
  }
}

function tooLong(subject: Digest): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'Too many documents refer to an image.', {
    facts: { expected: `at most ${MAX_INDEX} bytes`, found: subject },
    hint: 'This registry keeps the list of them in one document. Remove those that nobody needs.'
  })
}
