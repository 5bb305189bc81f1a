/** Asking a token service (Docker registry authentication, and its OAuth2 form) for one token. */
import { performance } from 'node:perf_hooks'
import { followed, shownHost } from './addresses.ts'
import { answerInvalid, connectionFailed, denied, failed, type Place } from './errors.ts'
import { HttpFailure, type FailureKind } from './http-failure.ts'
import type { HttpAnswer, HttpRequest } from './http.ts'
import { isObject, readBody, readExplanation } from './read-body.ts'
import type { Session } from './session.ts'
import { setbackOf } from './setbacks.ts'
import { throwIfStopped } from './session.ts'
import { Tries } from './tries.ts'

/** What a registry says about its token service. */
export interface TokenService {
  realm: URL
  service: string | undefined
}

export interface Token {
  value: string
  /** When a new one is needed, by `performance.now()`: clocks of two machines differ. */
  renewAt: number
}

const MAX_REDIRECTS = 3
const MAX_TOKEN = 256 << 10
/** What a service that does not say otherwise means. */
const USUAL_LIFE_S = 60
const LONGEST_LIFE_S = 86_400
/** Tokens are renewed so long before they expire, or after four fifths of a short life. */
const SPARE_MS = 10_000

/** @param signal of the request that needs it @throws REGISTRY_DENIED, REGISTRY_*, ABORTED */
export async function fetchToken(
  session: Session,
  service: TokenService,
  scopes: readonly string[],
  signal: AbortSignal
): Promise<Token> {
  const place = { repository: session.repository, request: `token of ${shownHost(service.realm)}` }
  const tries = new Tries(session, place.request)
  for (;;) {
    const wanted = tokenRequest(session, service, scopes, signal)
    const answer = await askOnce(session, place, wanted, tries)
    if (answer === undefined) continue
    if (answer.status === 200) return readToken(session, place, answer)
    const { reason } = await readExplanation(answer, session.secrets)
    if (answer.status === 401 || answer.status === 403)
      throw denied(place, { status: answer.status, reason, ...credentialsOf(session) })
    const setback = setbackOf(place, answer, reason)
    if (setback === undefined) throw failed(place, answer.status, reason)
    await tries.again(setback)
  }
}

export function credentialsOf({ settings }: Session): { hasCredentials: boolean } {
  return { hasCredentials: settings.credentials !== undefined }
}

const NEVER_BETTER: readonly FailureKind[] = ['tls', 'not-tls', 'unknown-host', 'no-proxy']

/** Undefined: the connection failed, and a pause was made. */
async function askOnce(
  session: Session,
  place: Place,
  wanted: HttpRequest,
  tries: Tries
): Promise<HttpAnswer | undefined> {
  try {
    return await followRedirects(session, place, wanted)
  } catch (error) {
    throwIfStopped(session.signal)
    if (!(error instanceof HttpFailure)) throw error
    const setback = { error: connectionFailed(place, error), reason: error.message }
    if (NEVER_BETTER.includes(error.kind)) throw setback.error
    await tries.again(setback)
    return undefined
  }
}

/** Credentials stay with the host that the registry named. */
async function followRedirects(
  session: Session,
  place: Place,
  first: HttpRequest
): Promise<HttpAnswer> {
  let wanted = first
  for (let count = 0; ; count++) {
    const answer = await session.http.request(wanted)
    if (answer.status < 300 || answer.status > 399) return answer
    answer.discard()
    const url = followed(wanted.url, answer.headers.location, false)
    const isSecret = wanted.body !== undefined || wanted.headers.authorization !== undefined
    if (
      url === undefined ||
      count === MAX_REDIRECTS ||
      (isSecret && url.origin !== wanted.url.origin)
    )
      throw answerInvalid(place, 'the token service refers to an address that is not followed')
    wanted = { ...wanted, url }
  }
}

function tokenRequest(
  { settings: { credentials }, timing }: Session,
  { realm, service }: TokenService,
  scopes: readonly string[],
  signal: AbortSignal
): HttpRequest {
  const common = { signal, answerMs: timing.stall }
  if (credentials !== undefined && 'identityToken' in credentials)
    return { ...common, ...refreshRequest(realm, service, scopes, credentials.identityToken) }
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (credentials !== undefined) {
    url.searchParams.set('account', credentials.username)
    headers.authorization = basicAuthorization(credentials)
  }
  return { ...common, method: 'GET', url, headers }
}

export function basicAuthorization(credentials: { username: string; password: string }): string {
  const pair = `${credentials.username}:${credentials.password}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function refreshRequest(
  url: URL,
  service: string | undefined,
  scopes: readonly string[],
  identityToken: string
): Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    ...(service !== undefined && { service }),
    scope: scopes.join(' '),
    client_id: 'oci-unpack',
    refresh_token: identityToken
  })
  const headers = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded'
  }
  return { method: 'POST', url, headers, body: Buffer.from(form.toString()) }
}

async function readToken(session: Session, place: Place, answer: HttpAnswer): Promise<Token> {
  const asked = performance.now()
  const body = await readBody(answer, MAX_TOKEN).catch((error: unknown) => {
    throwIfStopped(session.signal)
    throw error instanceof HttpFailure ? connectionFailed(place, error) : error
  })
  const fields = parseFields(body)
  const value = [fields?.token, fields?.access_token].find(
    (each) => typeof each === 'string' && each !== ''
  )
  // the value must never be shown, not even if it is wrong
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw answerInvalid(place, 'the token service sends no token')
  session.secrets.add(value)
  const life = 1000 * lifeOf(fields?.expires_in)
  return { value, renewAt: asked + Math.max(life - SPARE_MS, life * 0.8) }
}

function parseFields(body: Buffer | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body?.toString('utf8') ?? '')
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function lifeOf(expiresIn: unknown): number {
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn
  const isPlausible = typeof seconds === 'number' && seconds > 0
  return isPlausible ? Math.min(seconds, LONGEST_LIFE_S) : USUAL_LIFE_S
}
