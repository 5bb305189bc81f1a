/** One request wherever it leads. What was granted stays with the registry. */
import { followed, shownAddress } from './addresses.ts'
import type { Grant } from './authorization.ts'
import { answerInvalid, type NotFound, type Place } from './errors.ts'
import { HttpFailure } from './http-failure.ts'
import type { HttpAnswer, HttpRequest, Method } from './http.ts'
import type { Session } from './session.ts'
import type { Tries } from './tries.ts'

export interface Ask {
  method: Method
  /** Below `/v2/NAME/`, or an address that the registry gave. */
  to: string | URL
  access: 'pull' | 'push'
  /** Another repository that is read. */
  from?: string
  headers?: Readonly<Record<string, string>>
  /** Called for each time that it is sent. */
  body?: () => Buffer | AsyncIterable<Buffer>
  /** Other answers are errors. */
  accept: readonly number[]
  /** What 404 means. */
  missing: NotFound
  blob?: string
  /** How long the answer may take to begin, if longer than usual. */
  answerMs?: number
  /** Shares its count with other requests; `once`: throws Unlucky where it would try again. */
  tries?: Tries | 'once'
  signal?: AbortSignal
}

/** An ask with its address. */
export interface Target {
  ask: Ask
  url: URL
  /** The origin of the registry, as in `https://localhost:5000`. */
  home: string
}

export interface Answer extends HttpAnswer {
  /** Where it came from in the end. */
  url: URL
  isHome: boolean
  place: Place
}

/** Nobody answered, at the place to which the request led in the end. */
export class NoAnswer extends Error {
  readonly failure: HttpFailure
  readonly place: Place

  constructor(failure: HttpFailure, place: Place) {
    super(failure.message)
    this.failure = failure
    this.place = place
  }
}

const MAX_REDIRECTS = 8

/** @throws REGISTRY_ANSWER_INVALID, NoAnswer */
export async function sendFollowing(
  session: Session,
  target: Target,
  grant: Grant | undefined
): Promise<Answer> {
  const mayLeaveHttps = session.settings.plainHttp === 'fallback'
  let { url } = target
  for (let count = 0; ; count++) {
    const isHome = url.origin === target.home
    const wanted = requestFor(session, target.ask, url, isHome ? grant : undefined)
    const place = placeOf(session, target, url)
    const answer = await answerAt(session, wanted, place)
    if (!isRedirect(target.ask, answer.status)) return { ...answer, url, isHome, place }
    answer.discard()
    const next = followed(url, answer.headers.location, mayLeaveHttps)
    if (next === undefined)
      throw answerInvalid(place, 'it refers to an address that cannot be used')
    if (count === MAX_REDIRECTS)
      throw answerInvalid(place, `it refers elsewhere more than ${MAX_REDIRECTS} times`)
    url = next
  }
}

async function answerAt({ http }: Session, wanted: HttpRequest, place: Place): Promise<HttpAnswer> {
  try {
    return await http.request(wanted)
  } catch (error) {
    throw error instanceof HttpFailure ? new NoAnswer(error, place) : error
  }
}

export function placeOf({ repository }: Session, { ask, home }: Target, url: URL): Place {
  return {
    repository,
    request: `${ask.method} ${shownAddress(url, home)}`,
    ...(ask.blob !== undefined && { blob: ask.blob }),
    ...(url.origin !== home && { elsewhere: url.host })
  }
}

function requestFor(
  { signal, timing }: Session,
  ask: Ask,
  url: URL,
  grant: Grant | undefined
): HttpRequest {
  return {
    method: ask.method,
    url,
    headers: { ...ask.headers, ...(grant && { authorization: grant.header }) },
    body: ask.body?.(),
    signal: ask.signal ?? signal,
    answerMs: ask.answerMs ?? timing.stall
  }
}

/** What has a body is sent elsewhere only if that is meant to be the same request. */
function isRedirect({ method, body }: Ask, status: number): boolean {
  if (status === 307 || status === 308) return true
  const isPlain = (method === 'GET' || method === 'HEAD') && body === undefined
  return isPlain && (status === 301 || status === 302 || status === 303)
}
