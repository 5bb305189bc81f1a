/**
 * A registry in memory, on loopback, that misbehaves as a test tells it to. It also remembers what it was asked, so that
 * tests see which requests were sent, and with which credentials.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Digest } from '../../src/image/digest.ts'

export interface Seen {
  method: string
  /** With the query. */
  path: string
  headers: IncomingMessage['headers']
}

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  /** How many requests with this method and path came before. */
  before: number
}

/** Whether it has answered; if not, the registry does as it should. */
export type Fault = (exchange: Exchange) => boolean | undefined | Promise<boolean | undefined>

export interface FaultyRegistry {
  /** `HOST:PORT` */
  host: string
  origin: string
  port: number
  seen: Seen[]
  documents: Map<string, { bytes: Buffer; mediaType: string }>
  blobs: Map<string, Buffer>
  tags: string[]
  /** Bytes of uploads that are not finished. */
  uploads: Map<string, Buffer>
  addBlob(bytes: Buffer): { digest: Digest; size: number }
  addDocument(tag: string, bytes: Buffer, mediaType: string): Digest
  close(): Promise<void>
}

export const NAME = 'library/thing'

export async function startFaultyRegistry(
  fault: Fault = () => undefined,
  tls?: { key: string; cert: string }
): Promise<FaultyRegistry> {
  const counts = new Map<string, number>()
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://registry')
    const key = `${request.method!} ${url.pathname}`
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    registry.seen.push({ method: request.method!, path: request.url!, headers: request.headers })
    request.on('error', () => undefined)
    const serve = async (): Promise<void> => {
      if ((await fault({ request, response, url, before })) !== true)
        await answer(registry, request, response, url)
    }
    serve().catch(() => response.destroy())
  }
  const server = tls === undefined ? createServer(handle) : createSecureServer(tls, handle)
  const registry = await listen(server, tls === undefined ? 'http' : 'https')
  return registry
}

async function listen(server: Server, protocol: string): Promise<FaultyRegistry> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const documents: FaultyRegistry['documents'] = new Map()
  const blobs: FaultyRegistry['blobs'] = new Map()
  return {
    host: `127.0.0.1:${port}`,
    origin: `${protocol}://127.0.0.1:${port}`,
    port,
    seen: [],
    documents,
    blobs,
    tags: [],
    uploads: new Map(),
    addBlob: (bytes) => {
      const digest = sha256(bytes)
      blobs.set(digest, bytes)
      return { digest, size: bytes.length }
    },
    addDocument: (tag, bytes, mediaType) => {
      const digest = sha256(bytes)
      documents.set(tag, { bytes, mediaType })
      documents.set(digest, { bytes, mediaType })
      return digest
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

export function sha256(bytes: Buffer): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

/** An answer in the form of distribution-spec. */
export function refuse(response: ServerResponse, status: number, code: string, message = ''): true {
  send(response, status, { 'content-type': 'application/json' }, errorsBody(code, message))
  return true
}

function errorsBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] })
}

export function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Buffer | string = ''
): true {
  response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers })
  response.end(response.req.method === 'HEAD' ? '' : body)
  return true
}

/** As a good registry would. */
async function answer(
  registry: FaultyRegistry,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL
): Promise<void> {
  const [, name, kind = '', rest = ''] =
    /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(url.pathname) ?? []
  if (url.pathname === '/v2/') send(response, 200, {})
  else if (name === undefined) refuse(response, 404, 'UNSUPPORTED')
  else if (kind === 'manifests') await answerManifest(registry, request, response, rest)
  else if (kind === 'tags') send(response, 200, {}, JSON.stringify({ name, tags: registry.tags }))
  else if (kind === 'referrers') send(response, 404, {}, '404 page not found')
  else if (rest.startsWith('uploads/')) await answerUpload(registry, request, response, url)
  else sendBlob(registry, request, response, rest)
}

async function answerManifest(
  { documents }: FaultyRegistry,
  request: IncomingMessage,
  response: ServerResponse,
  reference: string
): Promise<void> {
  if (request.method === 'PUT') {
    const bytes = await buffer(request)
    const document = { bytes, mediaType: request.headers['content-type']! }
    documents.set(reference, document).set(sha256(bytes), document)
    send(response, 201, { 'docker-content-digest': sha256(bytes) })
    return
  }
  const found = documents.get(reference)
  if (found === undefined) refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown')
  else {
    const headers = {
      'content-type': found.mediaType,
      'docker-content-digest': sha256(found.bytes)
    }
    send(response, 200, headers, found.bytes)
  }
}

export function sendBlob(
  { blobs }: FaultyRegistry,
  request: IncomingMessage,
  response: ServerResponse,
  digest: string
): void {
  const bytes = blobs.get(digest)
  const [, start] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? []
  if (bytes === undefined) refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown')
  else if (start === undefined) send(response, 200, {}, bytes)
  else {
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`
    send(response, 206, { 'content-range': range }, bytes.subarray(Number(start)))
  }
}

async function answerUpload(
  registry: FaultyRegistry,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL
): Promise<void> {
  const { uploads, blobs } = registry
  const id = /uploads\/(.*)$/.exec(url.pathname)![1]!
  const mount = url.searchParams.get('mount')
  if (request.method === 'POST') {
    if (mount !== null && blobs.has(mount)) return void send(response, 201, {})
    const opened = randomUUID()
    uploads.set(opened, Buffer.alloc(0))
    return void send(response, 202, locationOf(opened, 0))
  }
  const had = uploads.get(id)
  if (had === undefined) return void refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN')
  if (request.method === 'GET') return void send(response, 204, locationOf(id, had.length))
  if (request.method === 'DELETE') {
    uploads.delete(id)
    return void send(response, 204, {})
  }
  const bytes = await received(request, had, (sofar) => uploads.set(id, sofar))
  if (request.method === 'PATCH') return void send(response, 202, locationOf(id, bytes.length))
  if (sha256(bytes) !== url.searchParams.get('digest'))
    return void refuse(response, 400, 'DIGEST_INVALID', 'provided digest did not match')
  uploads.delete(id)
  blobs.set(sha256(bytes), bytes)
  send(response, 201, { 'docker-content-digest': sha256(bytes) })
}

/** Keeps what arrives even if the connection breaks. */
async function received(
  request: IncomingMessage,
  had: Buffer,
  keep: (bytes: Buffer) => void
): Promise<Buffer> {
  let bytes = had
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, piece])
    keep(bytes)
  }
  return bytes
}

/** Relative, and with a query that must not be changed. */
function locationOf(id: string, size: number): Record<string, string> {
  return {
    location: `/v2/${NAME}/blobs/uploads/${id}?_state=a%2Bb~c%3D`,
    range: `0-${Math.max(size - 1, 0)}`
  }
}
