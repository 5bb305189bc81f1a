/** Why there was no answer, or only a part of one. */

/**
 * - `unknown-host`, `unreachable`, `refused`: nobody is there
 * - `no-proxy`: the same, where a proxy should be
 * - `no-tunnel`: the proxy does not lead to the registry
 * - `tls`: no agreement about encryption or certificates
 * - `not-tls`: the other side does not speak TLS at all, as where plain HTTP is spoken
 * - `stalled`: nothing arrived for too long
 * - `garbled`: the answer is not HTTP
 * - `broken`: anything else that happens to a connection
 */
export type FailureKind =
  | 'unknown-host'
  | 'unreachable'
  | 'refused'
  | 'no-proxy'
  | 'no-tunnel'
  | 'tls'
  | 'not-tls'
  | 'stalled'
  | 'garbled'
  | 'broken'

export class HttpFailure extends Error {
  override readonly name = 'HttpFailure'
  readonly kind: FailureKind
  readonly code: string
  /** `HOST[:PORT]` of the proxy on the way. */
  readonly proxy: string | undefined

  /** @param message what the library below said, which may be shown */
  constructor(kind: FailureKind, code: string, message: string, proxy?: string) {
    super(message)
    this.kind = kind
    this.code = code
    this.proxy = proxy
  }
}

/**
 * The failure without the objects that libraries attach to their errors, among which are addresses with queries and parts of answers.
 * @param show removes secrets
 * @param proxy as in `HttpFailure`
 */
export function httpFailure(
  error: unknown,
  show: (text: string) => string,
  proxy: string | undefined
): HttpFailure {
  if (error instanceof HttpFailure) return error
  const { code, message } = firstError(error)
  const kind = proxy === undefined ? kindOf(code, message) : kindBehindProxy(code, message)
  return new HttpFailure(kind, code, show(message === '' ? code : ofOpenSsl(message)), proxy)
}

/** The words in `807CCAF3:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../record.c:350:`. */
function ofOpenSsl(message: string): string {
  return /^[^:]*:error:[\dA-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? message
}

/** Node reports attempts at several addresses as one error without a message. */
function firstError(error: unknown): { code: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return firstError(error.errors[0])
  if (!(error instanceof Error)) return { code: '', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return { code, message: error.message }
}

const KINDS: Readonly<Record<string, FailureKind>> = {
  ENOTFOUND: 'unknown-host',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'unreachable',
  EPROTO: 'tls',
  CERT_HAS_EXPIRED: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  UND_ERR_PRX_TLS: 'tls',
  UND_ERR_HEADERS_TIMEOUT: 'stalled',
  UND_ERR_BODY_TIMEOUT: 'stalled',
  UND_ERR_HEADERS_OVERFLOW: 'garbled'
}

/** The names that OpenSSL and Node have for certificates that are not accepted. */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE)/

/** All connections are made to the proxy. */
function kindBehindProxy(code: string, message: string): FailureKind {
  if (/^Proxy (?:response|Authentication)/.test(message)) return 'no-tunnel'
  const kind = kindOf(code, message)
  return kind === 'unknown-host' || kind === 'unreachable' || kind === 'refused' ? 'no-proxy' : kind
}

/** What OpenSSL makes of an answer that is not TLS. */
const NOT_TLS = /wrong version number|packet length too long|record layer failure/

function kindOf(code: string, message: string): FailureKind {
  if (NOT_TLS.test(message)) return 'not-tls'
  if (TLS_CODE.test(code)) return 'tls'
  if (code.startsWith('HPE_')) return 'garbled'
  return KINDS[code] ?? 'broken'
}
