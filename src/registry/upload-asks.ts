/** The requests of an upload. */
import type { Ask } from './redirects.ts'
import type { RegistryBlob } from './registry.ts'

/** Opens a session. */
export function beginAsk(blob: RegistryBlob): Ask {
  return {
    ...common(blob),
    method: 'POST',
    to: 'blobs/uploads/',
    headers: { 'content-length': '0' },
    accept: [202]
  }
}

/** Asks how far a session got. */
export function statusAsk(blob: RegistryBlob, location: URL): Ask {
  return { ...common(blob), method: 'GET', to: location, accept: [204], tries: 'once' }
}

/**
 * Sends a part, from its first byte up to that before its last, or a stream of unknown length. Those that do not take
 * streams have different ways to say it.
 */
export function patchAsk(
  blob: RegistryBlob,
  location: URL,
  part: readonly [start: number, end: number] | undefined
): Ask {
  return {
    ...common(blob),
    method: 'PATCH',
    to: location,
    headers: { ...TYPE, ...(part && partHeaders(...part)) },
    accept: part === undefined ? [202, 400, 404, 405, 411, 416, 501] : [202, 404, 416]
  }
}

/** Closes a session with the rest of the blob, which may be all of it or nothing. */
export function putAsk(blob: RegistryBlob, location: URL, start: number): Ask {
  const { 'content-range': range, ...headers } = partHeaders(start, blob.size)
  const isPart = start > 0 && start < blob.size
  return {
    ...common(blob),
    method: 'PUT',
    to: withDigest(location, blob.digest),
    headers: { ...TYPE, ...headers, ...(isPart && { 'content-range': range }) },
    accept: [201, 204, 404, 416]
  }
}

const TYPE = { 'content-type': 'application/octet-stream' }

function common({ digest }: RegistryBlob): Pick<Ask, 'access' | 'missing' | 'blob'> {
  return { access: 'push', missing: 'REPOSITORY_NOT_FOUND', blob: digest }
}

function partHeaders(
  start: number,
  end: number
): Record<'content-range' | 'content-length', string> {
  return { 'content-range': `${start}-${end - 1}`, 'content-length': String(end - start) }
}

/** Whatever is in the query already is not touched: it may be signed. */
function withDigest(location: URL, digest: string): URL {
  const url = new URL(location)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`
  return url
}
