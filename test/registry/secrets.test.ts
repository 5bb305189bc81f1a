/** Passwords and tokens reach those that they are for, and nobody else: no error and no event shows them. */
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { toErrorRecord } from '../../src/errors.ts'
import type { RegistryClient, RegistryCredentials } from '../../src/registry/registry.ts'
import { send, sha256, type Exchange, type Fault } from '../support/faulty-registry.ts'
import { startTokenService, type TokenService } from '../support/token-service.ts'
import { clientOf, readBlob, withRegistry } from './support.ts'

const PASSWORD = 'pass/word+of=alice'
const IDENTITY = 'identity/token+of=alice'
const TOKEN = 'bearer-token-'
const SIGNATURE = 'signature-of-storage'
const PROXY_PASSWORD = 'pass-of-proxy'
const BASIC = Buffer.from(`alice:${PASSWORD}`).toString('base64')
const SECRETS = [PASSWORD, IDENTITY, TOKEN, SIGNATURE, PROXY_PASSWORD, BASIC]
const FORBIDDEN = [...SECRETS, ...SECRETS.map(encodeURIComponent)]

let service: TokenService
beforeEach(async () => {
  service = await startTokenService()
  service.prefix = TOKEN
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await service.close()
})

/** What the client of a test was given. */
let given: string[] = []

/** What a server was told, and more that it may know: everything that is secret to this client. */
function told({ request }: Exchange): string {
  const forms = [...given, ...given.map(encodeURIComponent)]
  return `${request.headers.authorization ?? ''} ${forms.join(' ')}`
}

function redirect(location: string): Fault {
  return ({ response }) => send(response, 307, { location })
}

/** What happens to a request that was let in. Most of them repeat what is secret. */
const FAULTS: [string, Fault][] = [
  [
    'an error in JSON',
    (e) =>
      send(e.response, 500, {}, JSON.stringify({ errors: [{ code: told(e), message: told(e) }] }))
  ],
  ['an error in words', (e) => send(e.response, 403, {}, `no: ${told(e)}`)],
  ['a missing thing', (e) => send(e.response, 404, {}, told(e))],
  ['a busy registry', (e) => send(e.response, 429, { 'retry-after': '9999' }, told(e))],
  [
    'another type',
    (e) =>
      send(e.response, 200, { 'content-type': told(e), 'docker-content-digest': told(e) }, '{}')
  ],
  ['another encoding', (e) => send(e.response, 200, { 'content-encoding': told(e) }, '{}')],
  ['another range', (e) => send(e.response, 206, { 'content-range': told(e) }, '')],
  [
    'another challenge',
    (e) => send(e.response, 401, { 'www-authenticate': `X${TOKEN} ${told(e)}` }, told(e))
  ],
  [
    'garbage',
    (e) => {
      e.response.socket!.end(`HTTP/9 ${told(e)}\r\n\r\n`)
      return true
    }
  ],
  [
    'a closed connection',
    (e) => {
      e.response.destroy()
      return true
    }
  ],
  ['a redirect to nobody', redirect(`http://127.0.0.1:1/x?${SIGNATURE}#${SIGNATURE}`)],
  ['a redirect to a name', redirect(`http://${SIGNATURE}:x@registry.invalid/${SIGNATURE}`)]
]

const TOKEN_FAULTS: [string, Fault][] = [
  ['refuses it', (e) => send(e.response, 401, {}, told(e))],
  ['is broken', (e) => send(e.response, 500, {}, told(e))],
  ['sends a bad token', (e) => send(e.response, 200, {}, JSON.stringify({ token: `${TOKEN} \n` }))],
  ['sends garbage', (e) => send(e.response, 200, {}, told(e))],
  ['refers elsewhere', redirect(`http://x.invalid/${SIGNATURE}?${SIGNATURE}`)]
]

const CREDENTIALS: [string, RegistryCredentials, string[]][] = [
  ['a password', { username: 'alice', password: PASSWORD }, [PASSWORD, BASIC]],
  ['an identity token', { identityToken: IDENTITY }, [IDENTITY]]
]

describe.each(CREDENTIALS)('%s is not shown', (_name, credentials, secrets) => {
  const settings = { credentials, timing: { attempts: 2 } }
  beforeEach(() => {
    given = secrets
  })

  test.each(FAULTS)('after %s', async (_fault, fault) => {
    const guarded: Fault = (exchange) => service.guard(exchange) || fault(exchange)
    await withRegistry(
      guarded,
      async ({ client, registry, events }) => {
        const failures = await allFailures(client)
        expect(failures.length).toBeGreaterThan(3)
        expectClean([...failures, ...events])
        // it was sent, so it could have been shown
        const sent = registry.seen.map(({ headers }) => headers.authorization ?? '')
        expect(sent.some((header) => header.includes(TOKEN))).toBe(true)
      },
      settings
    )
  })

  test.each(TOKEN_FAULTS)('if the token service %s', async (_fault, fault) => {
    service.fault = fault
    await withRegistry(
      (exchange) => service.guard(exchange),
      async ({ client, events }) => {
        const failures = await allFailures(client)
        expect(failures.length).toBeGreaterThan(3)
        expectClean([...failures, ...events])
      },
      settings
    )
  })
})

test('the password of a proxy is not shown', async () => {
  vi.stubEnv('HTTPS_PROXY', `http://me:${PROXY_PASSWORD}@127.0.0.1:1`)
  const { client, events } = clientOf('registry.test', { plainHttp: 'never' })
  const failures = await allFailures(client)
  await client.close()
  expect(failures.length).toBeGreaterThan(3)
  expectClean([...failures, ...events])
})

/** Of everything that a client can do. */
async function allFailures(client: RegistryClient): Promise<unknown[]> {
  const bytes = Buffer.from('blob')
  const blob = { digest: sha256(bytes), size: bytes.length }
  const read = async function* (offset: number): AsyncIterable<Buffer> {
    yield await Promise.resolve(bytes.subarray(offset))
  }
  const works: (() => Promise<unknown>)[] = [
    () => client.document('tag', 1000),
    () => client.document(blob.digest, 1000),
    () => readBlob(client, blob),
    () => readBlob(client, blob, 1),
    () => client.hasBlob(blob),
    () => client.hasDocument('tag'),
    () => client.mount(blob, 'other'),
    () => client.upload(blob, read),
    () => client.putDocument('tag', { bytes, mediaType: 'a/b' }),
    () => client.tags()[Symbol.asyncIterator]().next(),
    () => client.referrers(blob.digest)
  ]
  const failures: unknown[] = []
  for (const work of works) await work().catch((error: unknown) => failures.push(error))
  return failures
}

/** In every form in which somebody may print them. */
function expectClean(values: unknown[]): void {
  for (const value of values) {
    const shown = inspect(value, { depth: 20, showHidden: true, maxStringLength: null })
    const forms = [shown, JSON.stringify(value)]
    if (value instanceof Error)
      forms.push(String(value), value.stack ?? '', JSON.stringify(toErrorRecord(value)))
    for (const form of forms) for (const secret of FORBIDDEN) expect(form).not.toContain(secret)
  }
}
