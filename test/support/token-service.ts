/** A token service on loopback, and a registry that wants its tokens. */
import { buffer } from 'node:stream/consumers'
import { send, startFaultyRegistry, type Exchange, type Fault } from './faulty-registry.ts'

export interface TokenRequest {
  method: string
  /** Of the query or the form. */
  fields: URLSearchParams
  authorization: string | undefined
}

export interface TokenService {
  /** Where it is. */
  realm: string
  asked: TokenRequest[]
  /** Those that the registry accepts at present. */
  valid: Set<string>
  /** Begins the tokens. */
  prefix: string
  /** What the token service does instead of what it should. */
  fault: Fault
  expiresIn: unknown
  /** A part of a registry's fault: asks for a token where there is none. */
  guard(exchange: Exchange, scope?: string): boolean
  close(): Promise<void>
}

export async function startTokenService(): Promise<TokenService> {
  const server = await startFaultyRegistry(async (exchange) => {
    const { request, response, url } = exchange
    const form = (await buffer(request)).toString()
    const fields = form === '' ? url.searchParams : new URLSearchParams(form)
    const { authorization } = request.headers
    service.asked.push({ method: request.method!, fields, authorization })
    if ((await service.fault(exchange)) === true) return true
    const token = `${service.prefix}${service.asked.length}`
    service.valid.add(token)
    const answer = {
      [form === '' ? 'token' : 'access_token']: token,
      expires_in: service.expiresIn
    }
    return send(response, 200, { 'content-type': 'application/json' }, JSON.stringify(answer))
  })
  const service: TokenService = {
    realm: `${server.origin}/token`,
    asked: [],
    valid: new Set(),
    prefix: 'token-',
    fault: () => undefined,
    expiresIn: 300,
    guard: ({ request, response }, scope) => {
      const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
      if (service.valid.has(token)) return false
      const asks = [
        `Bearer realm="${service.realm}"`,
        'service="registry"',
        ...(scope ? [`scope="${scope}"`] : [])
      ]
      return send(response, 401, { 'www-authenticate': asks.join(',') })
    },
    close: () => server.close()
  }
  return service
}
