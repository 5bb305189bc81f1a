/** What refers to a manifest (distribution-spec, Listing Referrers), also in registries that do not know the question. */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { mediaKind, OCI_INDEX } from '../image/media-types.ts'
import { fetchDocument, parseObject } from './documents.ts'
import { answerInvalid } from './errors.ts'
import { pages, type Page } from './pages.ts'
import type { Ask } from './redirects.ts'
import type { Requests } from './requests.ts'

/** An index of image-spec is never larger in practice. */
export const MAX_INDEX: number = 4 << 20

/** What registries answer that do not have the API. */
const UNKNOWN = [400, 404, 405, 406, 501]

/** An index, possibly of nothing. @throws REGISTRY_*, ABORTED */
export async function fetchReferrers(requests: Requests, digest: Digest): Promise<Buffer> {
  const index = await fromApi(requests, digest)
  return index ?? (await fromTag(requests, digest))
}

/** Undefined: the registry does not have the API. */
async function fromApi(requests: Requests, digest: Digest): Promise<Buffer | undefined> {
  const ask: Ask = {
    method: 'GET',
    to: `referrers/${digest}`,
    access: 'pull',
    headers: { accept: OCI_INDEX, 'accept-encoding': 'identity' },
    accept: [200, ...UNKNOWN],
    missing: 'REPOSITORY_NOT_FOUND'
  }
  const found: unknown[][] = []
  let first: Buffer | undefined
  const itemsOf = (page: Page): string[] =>
    manifestsOf(page).map((manifest) => JSON.stringify(manifest))
  for await (const page of pages(requests, ask, itemsOf)) {
    if (page.answer.status !== 200 || isWebPage(page)) return undefined
    first ??= page.bytes
    found.push(manifestsOf(page))
  }
  return found.length === 1 ? first : indexOf(found.flat())
}

/** A web interface that answers for every path it does not know. */
function isWebPage({ answer, bytes }: Page): boolean {
  const type = answer.headers['content-type'] ?? ''
  return /^text\/html/i.test(type) || bytes.toString('utf8', 0, 100).trimStart().startsWith('<')
}

/** The media type is not looked at: some registries say `application/json`, or send that of Docker's lists. */
function manifestsOf({ answer, bytes }: Page): unknown[] {
  const manifests = parseObject(bytes)?.manifests
  if (manifests === null) return []
  if (Array.isArray(manifests)) return manifests
  throw answerInvalid(answer.place, 'it is not an index')
}

/** The tag that clients maintain in a registry without the API. */
async function fromTag(requests: Requests, digest: Digest): Promise<Buffer> {
  try {
    const found = await fetchDocument(requests, referrersTag(digest), MAX_INDEX)
    const { bytes, mediaType } = found
    // GitLab takes the tag for the digest, and sends the manifest itself
    if (found.digest === digest) return indexOf([])
    if (mediaKind(mediaType).kind === 'index') return bytes
    const message = 'A tag that should list what refers to an image is something else.'
    const facts = { host: requests.session.repository.host, found: mediaType }
    requests.session.report({ type: 'warning', message, facts })
  } catch (error) {
    if (!(error instanceof OciUnpackError) || !ABSENT.includes(error.code)) throw error
  }
  return indexOf([])
}

const ABSENT = ['MANIFEST_NOT_FOUND', 'REPOSITORY_NOT_FOUND']

/** As in distribution-spec, Referrers Tag Schema: both halves are cut. */
export function referrersTag(digest: Digest): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`
}

function indexOf(manifests: readonly unknown[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
}
