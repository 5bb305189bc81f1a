/** Answers the challenges of a registry, and keeps its tokens. Nothing is sent that was not asked for. */
import { performance } from 'node:perf_hooks'
import { parseChallenges, type Challenge } from './challenge.ts'
import { isLoopback } from './proxy.ts'
import type { Session } from './session.ts'
import { basicAuthorization, fetchToken, type Token, type TokenService } from './tokens.ts'

/** What a request is sent with. */
export interface Grant {
  /** The value of the header Authorization. */
  header: string
  token?: KeptToken
}

interface KeptToken extends Token {
  /** Whether the registry has accepted it before. */
  proven: boolean
}

type Scheme = { kind: 'basic' } | ({ kind: 'bearer' } & TokenService)

/** Why a challenge cannot be answered; empty if the registry just says no. */
export type Refusal = { again: true } | { again: false; reason: string }

export class Authorization {
  private readonly session: Session
  private scheme: Scheme | undefined
  /** By the scopes that a request needs: those that challenges asked for beyond them. */
  private readonly extra = new Map<string, Set<string>>()
  private readonly tokens = new Map<string, Promise<KeptToken>>()

  constructor(session: Session) {
    this.session = session
  }

  /** Undefined as long as the registry has not asked for anything. @throws REGISTRY_DENIED, REGISTRY_*, ABORTED */
  async grant(scopes: readonly string[], signal: AbortSignal): Promise<Grant | undefined> {
    const { credentials } = this.session.settings
    if (this.scheme?.kind === 'basic' && credentials !== undefined && 'username' in credentials)
      return { header: basicAuthorization(credentials) }
    if (this.scheme?.kind !== 'bearer') return undefined
    const token = await this.token(this.scheme, scopes, signal)
    return { header: `Bearer ${token.value}`, token }
  }

  /** The registry has accepted what a request was sent with. */
  accepted(grant: Grant | undefined): void {
    if (grant?.token !== undefined) grant.token.proven = true
  }

  /**
   * The registry has answered 401. Says whether the same request may succeed now: with credentials where there were none,
   * with a new token where the old one has expired, or with more scopes.
   */
  refused(
    header: string | undefined,
    from: URL,
    scopes: readonly string[],
    used: Grant | undefined
  ): Refusal {
    const challenges = parseChallenges(header ?? '')
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer !== undefined) return this.refusedBearer(bearer, from, scopes, used)
    // some say something else, or nothing, to a token that has expired
    if (used?.token !== undefined) return this.expired(scopes, used) ? { again: true } : no('')
    if (challenges.some(({ scheme }) => scheme === 'basic')) return this.refusedBasic(used)
    const names = challenges.map(({ scheme }) => scheme).join(', ')
    if (names === '') return no('')
    return no(`the registry asks for an authentication that is not supported: ${names}`)
  }

  private refusedBasic(used: Grant | undefined): Refusal {
    const { credentials } = this.session.settings
    if (used !== undefined || credentials === undefined) return no('')
    if (!('username' in credentials))
      return no('the registry asks for a password, and there is only an identity token')
    this.scheme = { kind: 'basic' }
    return { again: true }
  }

  private refusedBearer(
    { parameters }: Challenge,
    from: URL,
    scopes: readonly string[],
    used: Grant | undefined
  ): Refusal {
    const { realm, service, scope } = parameters
    const url = realmUrl(realm, from, this.session.settings.tls.verify)
    if (typeof url === 'string') return no(url)
    this.scheme = { kind: 'bearer', realm: url, service }
    const grew = this.learn(scopes, scope)
    if (used?.token === undefined || grew) return { again: true }
    return this.expired(scopes, used) ? { again: true } : no('')
  }

  /** The registry does not accept a token. Says whether it did before, so that a new one may help. */
  expired(scopes: readonly string[], used: Grant | undefined): boolean {
    if (used?.token === undefined) return false
    this.forget(scopes, used.token)
    return used.token.proven
  }

  /** Some registries need other scopes than the specification says. */
  private learn(scopes: readonly string[], asked: string | undefined): boolean {
    const key = keyOf(scopes)
    const extra = this.extra.get(key) ?? new Set<string>()
    const more = (asked ?? '').split(/\s+/).filter((scope) => scope !== '')
    const unknown = more.filter((scope) => !scopes.includes(scope) && !extra.has(scope))
    for (const scope of unknown) extra.add(scope)
    this.extra.set(key, extra)
    if (unknown.length > 0) this.tokens.delete(key)
    return unknown.length > 0
  }

  private forget(scopes: readonly string[], token: KeptToken): void {
    const key = keyOf(scopes)
    const kept = this.tokens.get(key)
    void kept?.then((current) => {
      if (current === token && this.tokens.get(key) === kept) this.tokens.delete(key)
    })
  }

  /** Requests that need the same scopes at the same time share a token. */
  private async token(
    service: TokenService,
    scopes: readonly string[],
    signal: AbortSignal
  ): Promise<KeptToken> {
    const key = keyOf(scopes)
    const kept = this.tokens.get(key)
    const token = await kept?.catch(() => undefined)
    if (token !== undefined && performance.now() < token.renewAt && this.tokens.get(key) === kept)
      return token
    const current = this.tokens.get(key)
    if (current !== undefined && current !== kept) return current
    const fetched = fetchToken(this.session, service, this.wanted(scopes), signal).then(
      (fresh): KeptToken => ({ ...fresh, proven: false })
    )
    this.tokens.set(key, fetched)
    // the service may refuse what was asked for beyond the specification
    fetched.catch(() => this.extra.delete(key))
    return fetched
  }

  private wanted(scopes: readonly string[]): string[] {
    return [...scopes, ...(this.extra.get(keyOf(scopes)) ?? [])]
  }
}

function no(reason: string): Refusal {
  return { again: false, reason }
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ')
}

/** Where tokens are: what is secret may go there only as safely as to the registry. */
function realmUrl(realm: string | undefined, from: URL, verifiesTls: boolean): URL | string {
  if (realm === undefined || !URL.canParse(realm, from.href))
    return 'the registry does not say where its token service is'
  const url = new URL(realm, from)
  url.username = ''
  url.password = ''
  if (url.protocol === 'https:') return url
  // that a registry on this machine needs no TLS says nothing about other hosts
  const isPlain = from.protocol === 'http:' && !(isLoopback(from.hostname) && verifiesTls)
  if (url.protocol === 'http:' && (isPlain || isLoopback(url.hostname))) return url
  return 'the token service of the registry does not use HTTPS'
}
