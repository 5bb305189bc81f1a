/** Where a registry is, and whether it speaks HTTPS. */
import { connectionFailed } from './errors.ts'
import { HttpFailure } from './http-failure.ts'
import { throwIfStopped, type Session } from './session.ts'

/** The name that people use, and the host behind it. */
const ALIASES: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' }

export class Origin {
  /** Whether any request has been answered. */
  hasAnswered = false
  private readonly session: Session
  private found: Promise<string> | undefined

  constructor(session: Session) {
    this.session = session
  }

  /** As in `https://localhost:5000`, in the form of `URL.origin`. @throws REGISTRY_*, ABORTED */
  async get(): Promise<string> {
    const { settings } = this.session
    if (settings.plainHttp === 'never') return this.address('https')
    this.found ??= this.probe()
    // a failure is not remembered
    return this.found.catch((error: unknown) => {
      this.found = undefined
      throw error
    })
  }

  /** HTTPS if the registry speaks it, whatever it answers. */
  private async probe(): Promise<string> {
    const secure = this.address('https')
    const failure = await this.tryOnce(secure)
    if (failure === undefined) return secure
    const place = { repository: this.session.repository, request: 'GET /v2/' }
    if (failure.kind === 'tls' && !isNotTls(failure)) throw connectionFailed(place, failure)
    const plain = this.address('http')
    const plainFailure = await this.tryOnce(plain)
    if (plainFailure === undefined) return plain
    throw connectionFailed(place, isNotTls(failure) ? plainFailure : failure)
  }

  private async tryOnce(origin: string): Promise<HttpFailure | undefined> {
    const { http, signal, timing } = this.session
    try {
      const url = new URL('/v2/', origin)
      const answer = await http.request({
        method: 'GET',
        url,
        headers: {},
        signal,
        answerMs: timing.stall
      })
      answer.discard()
      this.hasAnswered = true
      return undefined
    } catch (error) {
      throwIfStopped(signal)
      if (error instanceof HttpFailure) return error
      throw error
    }
  }

  private address(protocol: 'http' | 'https'): string {
    const { host } = this.session.repository
    return new URL(`${protocol}://${ALIASES[host] ?? host}`).origin
  }
}

/** The other side does not speak TLS at all. Whatever is wrong with its certificate is no reason to do without. */
function isNotTls({ kind, code }: HttpFailure): boolean {
  return kind === 'not-tls' || code === 'EPROTO' || /^ERR_SSL_(?!.*ALERT)/.test(code)
}
