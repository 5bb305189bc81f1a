/** Manifests and indexes: fetching, checking and storing them. */
import type { Digest } from '../image/digest.ts'
import { digestAlgorithm, digestOf, isDigest } from '../image/digest.ts'
import { MANIFEST_TYPES, mediaKind, OCI_INDEX, OCI_MANIFEST } from '../image/media-types.ts'
import { answerInvalid, connectionFailed, digestDiffers, documentTooLarge } from './errors.ts'
import { HttpFailure } from './http-failure.ts'
import { isObject, readBody } from './read-body.ts'
import type { RegistryDocument } from './registry.ts'
import type { Answer, Ask } from './redirects.ts'
import type { Requests } from './requests.ts'
import { throwIfStopped, type Session } from './session.ts'
import { Tries } from './tries.ts'

const ACCEPT = MANIFEST_TYPES.join(', ')

/** @throws MANIFEST_NOT_FOUND, REPOSITORY_NOT_FOUND, LIMIT_EXCEEDED, BLOB_DIGEST_MISMATCH, REGISTRY_*, ABORTED */
export async function fetchDocument(
  requests: Requests,
  reference: string,
  limit: number
): Promise<RegistryDocument> {
  const ask = askFor('GET', reference)
  const { answer, bytes } = await fetchBytes(requests, ask, limit)
  const { secrets } = requests.session
  const digest = verifiedDigest(answer, reference, bytes, secrets.show.bind(secrets))
  return { bytes, digest, mediaType: mediaTypeOf(requests.session, answer, bytes) }
}

export async function hasDocument(requests: Requests, reference: string): Promise<boolean> {
  const answer = await requests.send({ ...askFor('HEAD', reference), accept: [200, 404] })
  answer.discard()
  return answer.status === 200
}

export type DocumentToStore = Pick<RegistryDocument, 'bytes' | 'mediaType'>

export interface StoredDocument {
  digest: Digest
  /** Whether the registry lists it among the referrers of its subject. False also if it has none. */
  isListed: boolean
}

export async function storeDocument(
  requests: Requests,
  reference: string,
  { bytes, mediaType }: DocumentToStore
): Promise<StoredDocument> {
  const answer = await requests.send({
    ...askFor('PUT', reference),
    access: 'push',
    headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
    body: () => bytes,
    accept: [201],
    missing: 'REPOSITORY_NOT_FOUND'
  })
  answer.discard()
  const { secrets } = requests.session
  const digest = verifiedDigest(answer, reference, bytes, secrets.show.bind(secrets))
  return { digest, isListed: answer.headers['oci-subject'] !== undefined }
}

function askFor(method: Ask['method'], reference: string): Ask {
  return {
    method,
    to: `manifests/${reference}`,
    access: 'pull',
    headers: { accept: ACCEPT, 'accept-encoding': 'identity' },
    accept: [200],
    missing: 'MANIFEST_NOT_FOUND'
  }
}

/** A small answer as a whole. If the connection breaks, it is asked for again. */
export async function fetchBytes(
  requests: Requests,
  ask: Ask,
  limit: number
): Promise<{ answer: Answer; bytes: Buffer }> {
  const tries = new Tries(requests.session, `GET ${String(ask.to)}`)
  for (;;) {
    const answer = await requests.send({ ...ask, tries })
    refuseEncoding(requests.session, answer)
    try {
      const bytes = await readBody(answer, limit)
      if (bytes === undefined) throw documentTooLarge(answer.place, limit)
      return { answer, bytes }
    } catch (error) {
      throwIfStopped(requests.session.signal)
      if (!(error instanceof HttpFailure)) throw error
      const failure = connectionFailed(answer.place, error)
      await tries.again({ error: failure, reason: error.message })
    }
  }
}

/** Digests are those of the bytes as they are stored. @throws REGISTRY_ANSWER_INVALID */
export function refuseEncoding({ secrets }: Session, answer: Answer): void {
  const encoding = answer.headers['content-encoding']?.trim() ?? ''
  if (encoding === '' || encoding.toLowerCase() === 'identity') return
  answer.discard()
  throw answerInvalid(answer.place, 'it is encoded, although that was not asked for', {
    expected: 'Content-Encoding: identity',
    found: secrets.show(`Content-Encoding: ${encoding}`)
  })
}

/** The digest that was asked for, or else the one that the registry states, if it is that of the bytes. */
function verifiedDigest(
  { headers, place }: Answer,
  reference: string,
  bytes: Buffer,
  show: (text: string) => string
): Digest {
  const stated = headers['docker-content-digest']
  for (const expected of [reference, stated ?? '']) {
    if (!isDigest(expected)) continue
    const found = digestOf(bytes, digestAlgorithm(expected))
    if (found !== expected) throw digestDiffers(place, show(expected), found)
  }
  return [reference, stated ?? ''].find(isDigest) ?? digestOf(bytes)
}

/** The header and the document must agree. Some registries know no better than that it is JSON. */
function mediaTypeOf({ secrets }: Session, { headers, place }: Answer, bytes: Buffer): string {
  const header = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
  if (header === 'text/html') throw answerInvalid(place, 'it is an HTML page')
  const document = parseObject(bytes)
  if (document === undefined) throw answerInvalid(place, 'it is not a JSON object')
  const own = typeof document.mediaType === 'string' ? document.mediaType : ''
  const known = [header, own].filter(isManifestType)
  const found = secrets.show([header, own].filter(Boolean).join(', '))
  if (known.length === 2 && header !== own)
    throw answerInvalid(place, 'its header and its content have different media types', { found })
  const type = known[0] ?? guessType(header, document)
  if (type !== undefined) return type
  throw answerInvalid(place, 'it is neither a manifest nor an index', { found })
}

function isManifestType(type: string): boolean {
  return ['index', 'manifest'].includes(mediaKind(type).kind)
}

/** Types that say nothing. */
const VAGUE = [
  '',
  'application/json',
  'application/octet-stream',
  'text/plain',
  'binary/octet-stream'
]

function guessType(header: string, document: Record<string, unknown>): string | undefined {
  if (!VAGUE.includes(header)) return undefined
  if (Array.isArray(document.manifests)) return OCI_INDEX
  return Array.isArray(document.layers) ? OCI_MANIFEST : undefined
}

export function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
