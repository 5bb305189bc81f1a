/**
 * HTTP/1.1 requests, one at a time: connections, TLS and proxies. The only file that knows undici. Why not HTTP/2:
 * docs/decisions/2026-11-29-registry-connections.md.
 */
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { Agent, ProxyAgent, request, type Dispatcher } from 'undici'
import type { TlsSettings } from './client-settings.ts'
import { httpFailure, HttpFailure } from './http-failure.ts'
import { proxyFor, type Environment } from './proxy.ts'
import type { Secrets } from './secrets.ts'
import { WatchedBody } from './watched-body.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface HttpRequest {
  method: Method
  url: URL
  headers: Readonly<Record<string, string>>
  body?: Buffer | AsyncIterable<Buffer> | undefined
  signal: AbortSignal
  /** How long the answer may take to begin. */
  answerMs: number
}

export interface HttpAnswer {
  status: number
  /** By lower-case name; several of one name are joined by commas. */
  headers: Readonly<Record<string, string | undefined>>
  /** To be read once, or discarded. Pieces are valid until the next. @throws HttpFailure */
  body: AsyncIterable<Buffer>
  /** Gives the connection back without reading what is left. */
  discard(): void
}

export interface Http {
  /** @throws HttpFailure, and what the body throws while it is read */
  request(wanted: HttpRequest): Promise<HttpAnswer>
  close(): Promise<void>
}

/** More than any header of a registry; those of storage hosts have long addresses in them. */
const MAX_HEADERS = 64 << 10
const LONGEST_CONNECT_MS = 10_000
/** What is read of an answer that nobody needs, so that its connection can be used again. */
const MAX_DISCARD = 64 << 10

export function openHttp(
  settings: { tls: TlsSettings; stallMs: number; environment: Environment },
  secrets: Secrets
): Http {
  const show = (text: string): string => secrets.show(text)
  const agents = new Agents(settings, secrets)
  return {
    request: (wanted) => requestOnce(agents.for(wanted.url), wanted, show),
    close: () => agents.close()
  }
}

async function requestOnce(
  { dispatcher, proxy }: Route,
  wanted: HttpRequest,
  show: (text: string) => string
): Promise<HttpAnswer> {
  const understood = (error: unknown): HttpFailure => httpFailure(error, show, proxy)
  const source = new WatchedBody(wanted.body)
  try {
    const answer = await request(wanted.url, {
      dispatcher,
      method: wanted.method,
      headers: { 'user-agent': 'oci-unpack', ...wanted.headers },
      body: (source.body ?? null) as Buffer | null,
      signal: wanted.signal,
      headersTimeout: wanted.answerMs
    })
    // a body that is given up reports that as an error, which nobody else hears
    answer.body.on('error', () => undefined)
    return {
      status: answer.statusCode,
      headers: joined(answer.headers),
      body: pieces(answer.body, understood),
      discard: () => void answer.body.dump({ limit: MAX_DISCARD }).catch(() => undefined)
    }
  } catch (error) {
    throw source.failed ? source.error : understood(error)
  }
}

async function* pieces(
  body: AsyncIterable<Buffer>,
  understood: (error: unknown) => HttpFailure
): AsyncIterable<Buffer> {
  try {
    yield* body
  } catch (error) {
    throw understood(error)
  }
}

function joined(
  headers: Readonly<Record<string, string | string[] | undefined>>
): Record<string, string | undefined> {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')])
  return Object.fromEntries(entries) as Record<string, string>
}

interface Route {
  dispatcher: Dispatcher
  /** `HOST[:PORT]` */
  proxy: string | undefined
}

/** One pool of connections for each proxy, and one for direct connections. */
class Agents {
  private readonly settings: { tls: TlsSettings; stallMs: number; environment: Environment }
  private readonly secrets: Secrets
  private readonly agents = new Map<string, Agent | ProxyAgent>()
  private context: SecureContext | undefined

  constructor(
    settings: { tls: TlsSettings; stallMs: number; environment: Environment },
    secrets: Secrets
  ) {
    this.settings = settings
    this.secrets = secrets
  }

  for(url: URL): Route {
    const proxy = proxyFor(url, this.settings.environment)
    const key = proxy?.href ?? ''
    const agent = this.agents.get(key) ?? this.open(proxy)
    this.agents.set(key, agent)
    return { dispatcher: agent, proxy: proxy?.host }
  }

  async close(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.destroy()))
    this.agents.clear()
  }

  private open(proxy: URL | undefined): Agent | ProxyAgent {
    const { stallMs, tls } = this.settings
    const connect = {
      timeout: Math.min(stallMs, LONGEST_CONNECT_MS),
      rejectUnauthorized: tls.verify,
      secureContext: this.secureContext()
    }
    const options = { bodyTimeout: stallMs, maxHeaderSize: MAX_HEADERS, autoSelectFamily: true }
    if (proxy === undefined) return new Agent({ ...options, connect })
    return new ProxyAgent({
      ...options,
      uri: proxy.origin,
      ...proxyToken(proxy, this.secrets),
      requestTls: connect,
      // a plain request goes to the proxy as it is: many do not make tunnels to port 80
      proxyTunnel: false
    })
  }

  /** Made once: reading all authorities takes longer than a handshake. */
  private secureContext(): SecureContext {
    const { ca = [], cert, key } = this.settings.tls
    try {
      this.context ??= createSecureContext({
        ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key })
      })
      return this.context
    } catch (error) {
      const message = `certificates cannot be used: ${(error as Error).message}`
      throw new HttpFailure('tls', 'CERT_INVALID', message)
    }
  }
}

function proxyToken(proxy: URL, secrets: Secrets): { token?: string } {
  if (proxy.username === '') return {}
  const [user, password] = [proxy.username, proxy.password].map(decodeURIComponent)
  const basic = Buffer.from(`${user!}:${password!}`).toString('base64')
  secrets.add(password!)
  secrets.add(basic)
  return { token: `Basic ${basic}` }
}
