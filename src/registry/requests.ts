/** One request to a registry, with all that belongs to it: authorization, redirects, further attempts, errors. */
import type { OciUnpackError } from '../errors.ts'
import { Authorization } from './authorization.ts'
import { cannotLogIn, connectionFailed, denied, failed, notFound } from './errors.ts'
import type { FailureKind, HttpFailure } from './http-failure.ts'
import { Origin } from './origin.ts'
import { readExplanation } from './read-body.ts'
import {
  NoAnswer,
  placeOf,
  sendFollowing,
  type Answer,
  type Ask,
  type Target
} from './redirects.ts'
import { throwIfStopped, type Session } from './session.ts'
import { setbackOf } from './setbacks.ts'
import { credentialsOf } from './tokens.ts'
import { Tries, Unlucky, type Setback } from './tries.ts'

/** Of one request: a challenge, a token that has expired, a scope that was missing. */
const MAX_REFUSALS = 3

export class Requests {
  readonly session: Session
  private readonly authorization: Authorization
  private readonly origin: Origin

  constructor(session: Session) {
    this.session = session
    this.authorization = new Authorization(session)
    this.origin = new Origin(session)
  }

  /** The answer, whose body must be read or discarded. @throws REGISTRY_*, what `missing` says, ABORTED */
  async send(ask: Ask): Promise<Answer> {
    const target = await this.targetOf(ask)
    const tries =
      ask.tries ?? new Tries(this.session, placeOf(this.session, target, target.url).request)
    for (;;) {
      const answer = await this.sendOnce(target, tries)
      if (answer === undefined) continue
      if (ask.accept.includes(answer.status) || isForGetAlone(ask, answer)) return answer
      await this.recover(ask, answer, tries)
    }
  }

  private async targetOf(ask: Ask): Promise<Target> {
    const home = await this.origin.get()
    const path = `/v2/${this.session.repository.name}/`
    return { ask, home, url: ask.to instanceof URL ? ask.to : new URL(path + ask.to, home) }
  }

  /** Undefined: the connection failed, and a pause was made. */
  private async sendOnce(target: Target, tries: Tries | 'once'): Promise<Answer | undefined> {
    try {
      return await this.authorized(target)
    } catch (error) {
      throwIfStopped(this.session.signal)
      if (!(error instanceof NoAnswer)) throw error
      const { place, failure } = error
      const setback = { error: connectionFailed(place, failure), reason: failure.message }
      if (!this.helpsToRetry(failure)) throw setback.error
      await pause(setback, tries)
      return undefined
    }
  }

  /** A name or an address that is wrong stays wrong, unless it was right before. */
  private helpsToRetry({ kind }: HttpFailure): boolean {
    if (kind === 'tls' || kind === 'not-tls') return false
    return !NOBODY_THERE.includes(kind) || this.origin.hasAnswered
  }

  /** @throws the error that an answer stands for, unless it helps to ask again */
  private async recover(ask: Ask, answer: Answer, tries: Tries | 'once'): Promise<void> {
    const { status, place } = answer
    const { codes, reason } = await readExplanation(answer, this.session.secrets)
    throwIfStopped(this.session.signal)
    if (status === 401 || status === 403)
      throw denied(place, { status, reason, ...credentialsOf(this.session) })
    if (status === 404)
      throw notFound(place, codes.includes('NAME_UNKNOWN') ? 'REPOSITORY_NOT_FOUND' : ask.missing, {
        reason,
        access: ask.access
      })
    const setback = setbackOf(place, answer, reason)
    if (setback === undefined) throw failed(place, status, reason)
    await pause(setback, tries)
  }

  /** Answers challenges until the registry accepts, or there is nothing more to say. */
  private async authorized(target: Target): Promise<Answer> {
    // another host than the registry is not given anything
    if (target.url.origin !== target.home) return sendFollowing(this.session, target, undefined)
    const scopes = this.scopesOf(target.ask)
    for (let refusals = 0; ; refusals++) {
      const grant = await this.authorization.grant(scopes, target.ask.signal ?? this.session.signal)
      const answer = await sendFollowing(this.session, target, grant)
      this.origin.hasAnswered = true
      if (answer.status < 400 || answer.status === 404) this.authorization.accepted(grant)
      if (!answer.isHome) return answer
      if (refusals === MAX_REFUSALS) return answer
      if (answer.status !== 401) {
        if (!mayMeanExpired(target.ask, answer)) return answer
        if (!this.authorization.expired(scopes, grant)) return answer
        answer.discard()
        continue
      }
      const challenge = answer.headers['www-authenticate']
      const refusal = this.authorization.refused(challenge, answer.url, scopes, grant)
      if (!refusal.again && refusal.reason !== '') throw this.unanswerable(answer, refusal.reason)
      if (!refusal.again) return answer
      answer.discard()
    }
  }

  private unanswerable(answer: Answer, reason: string): OciUnpackError {
    answer.discard()
    const shown = this.session.secrets.show(reason)
    return cannotLogIn(answer.place, shown)
  }

  private scopesOf({ access, from }: Ask): string[] {
    const own = `repository:${this.session.repository.name}:${access === 'pull' ? 'pull' : 'pull,push'}`
    return from === undefined ? [own] : [own, `repository:${from}:pull`]
  }
}

const NOBODY_THERE: readonly FailureKind[] = ['refused', 'unknown-host', 'no-proxy']

async function pause(setback: Setback, tries: Tries | 'once'): Promise<void> {
  if (tries === 'once') throw new Unlucky(setback)
  await tries.again(setback)
}

/** Public ECR answers 400 to a token that has expired. */
function mayMeanExpired({ body }: Ask, { status }: Answer): boolean {
  return (status === 400 || status === 403) && body === undefined
}

/** The addresses of storage hosts are often signed for GET, and refused for HEAD. */
function isForGetAlone({ method }: Ask, { isHome, status }: Answer): boolean {
  return method === 'HEAD' && !isHome && (status === 401 || status === 403 || status === 405)
}
