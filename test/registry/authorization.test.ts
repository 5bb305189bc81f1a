/** Who is told which secret, and what happens when tokens expire. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RegistryCredentials } from '../../src/registry/registry.ts'
import {
  refuse,
  send,
  sendBlob,
  sha256,
  startFaultyRegistry,
  type Fault
} from '../support/faulty-registry.ts'
import { startTokenService, type TokenService } from '../support/token-service.ts'
import { failureOf, readBlob, withRegistry, type Tried } from './support.ts'

const ALICE = { username: 'alice', password: 'pass:word' }
const BASIC = `Basic ${Buffer.from('alice:pass:word').toString('base64')}`
const PULL = 'repository:library/thing:pull'
const PUSH = 'repository:library/thing:pull,push'
const BYTES = randomBytes(200_000)

let service: TokenService
beforeEach(async () => {
  service = await startTokenService()
})
afterEach(() => service.close())

const guarded: Fault = (exchange) => service.guard(exchange, PULL)

function as(credentials: RegistryCredentials | undefined): {
  credentials: RegistryCredentials | undefined
} {
  return { credentials }
}

const pullOnce = async ({ client, registry }: Tried): Promise<void> => {
  await readBlob(client, registry.addBlob(BYTES))
}

describe('a token', () => {
  test('is not asked of a service far away without HTTPS, because the registry is here', async () => {
    const far = 'Bearer realm="http://192.0.2.1/token",service="registry"'
    const refusing: Fault = ({ response }) => send(response, 401, { 'www-authenticate': far })
    await withRegistry(
      refusing,
      async (tried) => {
        const error = await failureOf(pullOnce(tried))
        expect(error.code).toBe('REGISTRY_DENIED')
        expect(error.facts.reason).toContain('does not use HTTPS')
      },
      as(ALICE)
    )
  })

  test('is fetched without credentials if there are none', async () => {
    await withRegistry(guarded, pullOnce)
    expect(service.asked).toMatchObject([{ method: 'GET', authorization: undefined }])
    expect([...service.asked[0]!.fields]).toEqual([
      ['service', 'registry'],
      ['scope', PULL]
    ])
  })

  test('is fetched with a password, which the registry does not see', async () => {
    await withRegistry(
      guarded,
      async (tried) => {
        await pullOnce(tried)
        const sent = tried.registry.seen.map(({ headers }) => headers.authorization)
        expect(new Set(sent)).toEqual(new Set([undefined, 'Bearer token-1']))
      },
      as(ALICE)
    )
    expect(service.asked).toMatchObject([{ method: 'GET', authorization: BASIC }])
    expect(service.asked[0]!.fields.get('account')).toBe('alice')
  })

  test('is fetched with an identity token by POST', async () => {
    await withRegistry(guarded, pullOnce, as({ identityToken: 'identity' }))
    expect(service.asked).toMatchObject([{ method: 'POST', authorization: undefined }])
    expect(Object.fromEntries(service.asked[0]!.fields)).toEqual({
      grant_type: 'refresh_token',
      service: 'registry',
      scope: PULL,
      client_id: 'oci-unpack',
      refresh_token: 'identity'
    })
  })

  test('is kept for each scope, and shared by requests at the same time', async () => {
    await withRegistry(
      guarded,
      async ({ client, registry }) => {
        const blob = registry.addBlob(BYTES)
        await Promise.all([1, 2, 3, 4].map(() => readBlob(client, blob)))
        expect(service.asked).toHaveLength(1)
        await client.putDocument('new', { bytes: Buffer.from('{}'), mediaType: 'a/b' })
        await client.mount(blob, 'other/thing')
        await client.upload({ digest: sha256(Buffer.from('x')), size: 1 }, only(Buffer.from('x')))
      },
      as(ALICE)
    )
    expect(service.asked.map(({ fields }) => fields.getAll('scope'))).toEqual([
      [PULL],
      [PUSH],
      [PUSH, 'repository:other/thing:pull']
    ])
  })

  test('is renewed before it expires', async () => {
    service.expiresIn = '2'
    await withRegistry(guarded, async ({ client, registry }) => {
      const blob = registry.addBlob(BYTES)
      await readBlob(client, blob)
      await readBlob(client, blob)
      expect(service.asked).toHaveLength(1)
      await sleep(1700)
      await readBlob(client, blob)
      expect(service.asked).toHaveLength(2)
      expect(registry.seen.filter(({ path }) => path.includes(blob.digest))).toHaveLength(4)
    })
  })

  test('that expires in the middle of a blob is renewed, and the transfer goes on', async () => {
    const fault: Fault = async (exchange) => {
      const { request, response, url } = exchange
      if (service.guard(exchange, PULL)) return true
      if (!url.pathname.includes('/blobs/') || request.headers.range !== undefined) return false
      response.writeHead(200, { 'content-length': String(BYTES.length) })
      response.write(BYTES.subarray(0, 100_000))
      await sleep(20)
      service.valid.clear()
      response.destroy()
      return true
    }
    await withRegistry(fault, async ({ client, registry, events }) => {
      const blob = registry.addBlob(BYTES)
      expect(sha256(await readBlob(client, blob))).toBe(blob.digest)
      expect(events).toHaveLength(1)
      expect(registry.seen.at(-1)?.headers).toMatchObject({
        range: 'bytes=100000-199999',
        authorization: 'Bearer token-2'
      })
    })
    expect(service.asked).toHaveLength(2)
  })

  test.each<[string, number, Record<string, string>]>([
    ['with a challenge of another kind', 401, { 'www-authenticate': 'Basic realm="harbor"' }],
    ['without a challenge', 401, {}],
    ['with another status', 400, {}],
    ['with a refusal', 403, {}]
  ])('that expires is renewed even if the registry says so %s', async (_name, status, headers) => {
    const fault: Fault = (exchange) => {
      const { request, response } = exchange
      if (request.headers.authorization === undefined) return service.guard(exchange, PULL)
      const isValid = service.valid.has(request.headers.authorization.slice('Bearer '.length))
      return !isValid && send(response, status, headers)
    }
    const twice = async ({ client, registry }: Tried): Promise<void> => {
      const blob = registry.addBlob(BYTES)
      await readBlob(client, blob)
      service.valid.clear()
      await readBlob(client, blob)
    }
    await withRegistry(fault, twice, as(ALICE))
    expect(service.asked).toHaveLength(2)
  })

  test('is asked for with what the registry needs beyond the specification', async () => {
    const fault: Fault = (exchange) =>
      service.guard(exchange, 'repository:library/thing:metadata_read')
    await withRegistry(fault, pullOnce)
    expect(service.asked[0]!.fields.getAll('scope')).toEqual([
      PULL,
      'repository:library/thing:metadata_read'
    ])
  })

  test('is fetched again without that if the token service refuses it', async () => {
    service.fault = ({ url, response }) =>
      url.search.includes('delete') && refuse(response, 403, 'DENIED')
    const guardDelete: Fault = (exchange) => {
      const { request, response } = exchange
      if (request.method !== 'DELETE') return service.guard(exchange, PUSH)
      const asks = `Bearer realm="${service.realm}",scope="repository:library/thing:delete"`
      return send(response, 401, { 'www-authenticate': asks })
    }
    const bytes = Buffer.from('x')
    const blob = { digest: sha256(bytes), size: 1 }
    await withRegistry(guardDelete, async ({ client }) => {
      // the session that this opens cannot be closed
      expect(await client.mount(blob, 'library/thing')).toBe(false)
      await client.upload(blob, only(bytes))
    })
  })

  test('that the registry does not accept is not fetched again and again', async () => {
    const fault: Fault = (exchange) => {
      service.valid.clear()
      return service.guard(exchange, PULL)
    }
    await withRegistry(
      fault,
      async (tried) => {
        const error = await failureOf(pullOnce(tried))
        expect(error).toMatchObject({ code: 'REGISTRY_DENIED', facts: { status: 401 } })
        expect(error.hint).toContain('not valid, or do not allow this')
      },
      as(ALICE)
    )
    expect(service.asked).toHaveLength(1)
  })
})

describe('a token service', () => {
  test.each<[string, Fault, string, object]>([
    [
      'refuses',
      ({ response }) => send(response, 401, {}, '{"details":"incorrect username or password"}'),
      'REGISTRY_DENIED',
      { status: 401, reason: 'incorrect username or password' }
    ],
    [
      'is broken',
      ({ response }) => send(response, 500, {}, ''),
      'REGISTRY_FAILED',
      { status: 500 }
    ],
    [
      'is missing',
      ({ response }) => send(response, 404, { 'content-type': 'text/html' }, '<html>'),
      'REGISTRY_FAILED',
      { status: 404 }
    ],
    [
      'sends a web page',
      ({ response }) => send(response, 200, { 'content-type': 'text/html' }, '<html>'),
      'REGISTRY_ANSWER_INVALID',
      { reason: 'the token service sends no token' }
    ],
    [
      'sends no token',
      ({ response }) => send(response, 200, {}, '{"token":""}'),
      'REGISTRY_ANSWER_INVALID',
      {}
    ],
    [
      'sends a token with a line break',
      ({ response }) => send(response, 200, {}, '{"token":"a\\nb: c"}'),
      'REGISTRY_ANSWER_INVALID',
      {}
    ],
    [
      'refers to another host',
      ({ response }) => send(response, 307, { location: 'http://127.0.0.1:1/token' }),
      'REGISTRY_ANSWER_INVALID',
      { reason: 'the token service refers to an address that is not followed' }
    ],
    [
      'closes every connection',
      ({ response }) => {
        response.destroy()
        return true
      },
      'REGISTRY_UNREACHABLE',
      {}
    ]
  ])('that %s is named', async (_name, fault, code, facts) => {
    service.fault = fault
    await withRegistry(
      guarded,
      async (tried) => {
        const error = await failureOf(pullOnce(tried))
        expect(error).toMatchObject({ code, facts })
        expect(error.facts.request).toBe(`token of ${new URL(service.realm).host}`)
      },
      as(ALICE)
    )
  })

  test('may be busy, and refer to another path', async () => {
    service.fault = ({ before, response, url }) => {
      if (url.pathname === '/other') return undefined
      return before === 0
        ? refuse(response, 503, 'X')
        : send(response, 307, { location: `/other${url.search}` })
    }
    await withRegistry(guarded, pullOnce, as(ALICE))
    expect(service.asked.at(-1)).toMatchObject({ authorization: BASIC })
  })
})

describe('a registry that wants a password', () => {
  const wants =
    (header: string): Fault =>
    ({ request, response }) =>
      request.headers.authorization !== BASIC && send(response, 401, { 'www-authenticate': header })

  test.each(['Basic realm="Registry"', 'Negotiate, Basic', 'BASIC realm=x, charset="UTF-8"'])(
    'gets it: %s',
    async (header) => {
      await withRegistry(wants(header), pullOnce, as(ALICE))
    }
  )

  test.each<[string, RegistryCredentials | undefined, string, string, number]>([
    ['it is wrong', { username: 'alice', password: 'wrong' }, 'Basic', 'not valid', 2],
    ['there is none', undefined, 'Basic', 'No credentials were found', 1],
    ['there is only an identity token', { identityToken: 'x' }, 'Basic', 'no way to log in', 1],
    ['it is to be sent in an unknown way', ALICE, 'Negotiate', 'no way to log in', 1],
    ['it does not say how', ALICE, '', 'not valid', 1],
    ['it does not say where', ALICE, 'Bearer service="x"', 'no way to log in', 1]
  ])('refuses if %s', async (_name, credentials, header, words, requests) => {
    await withRegistry(
      wants(header),
      async (tried) => {
        const error = await failureOf(pullOnce(tried))
        expect(error.code).toBe('REGISTRY_DENIED')
        expect(`${error.message} ${error.hint}`).toContain(words)
        const asked = tried.registry.seen.filter(({ path }) => path.includes('sha256'))
        expect(asked).toHaveLength(requests)
      },
      as(credentials)
    )
  })

  test('does not get it as long as it does not ask', async () => {
    await withRegistry(
      undefined,
      async (tried) => {
        await pullOnce(tried)
        expect(
          tried.registry.seen.every(({ headers }) => headers.authorization === undefined)
        ).toBe(true)
      },
      as(ALICE)
    )
  })
})

describe('another host', () => {
  test.each([301, 302, 303, 307, 308])('gets no credentials by a redirect (%i)', async (status) => {
    const storage = await startFaultyRegistry(({ request, response, url }) => {
      sendBlob(storage, request, response, url.pathname.slice(1))
      return true
    })
    const fault: Fault = (exchange) =>
      guarded(exchange) === true ||
      (exchange.url.pathname.includes('sha256') &&
        send(exchange.response, status, {
          location: `${storage.origin}/${storage.addBlob(BYTES).digest}?signature=x%2Fy`
        }))
    try {
      await withRegistry(fault, pullOnce, as(ALICE))
      expect(storage.seen).toHaveLength(1)
      expect(storage.seen[0]!.headers.authorization).toBeUndefined()
      expect(storage.seen[0]!.path).toContain('?signature=x%2Fy')
    } finally {
      await storage.close()
    }
  })

  test('gets none although it asks, and its address is not shown', async () => {
    const storage = await startFaultyRegistry(({ response }) =>
      send(response, 401, { 'www-authenticate': 'Basic' }, 'AccessDenied')
    )
    const fault: Fault = ({ url, response }) =>
      url.pathname.includes('sha256') &&
      send(response, 307, { location: `${storage.origin}/key/of/it?signature=x` })
    try {
      await withRegistry(
        fault,
        async (tried) => {
          const error = await failureOf(pullOnce(tried))
          expect(error).toMatchObject({
            code: 'REGISTRY_DENIED',
            facts: { reason: 'AccessDenied', request: `GET ${storage.origin}/…` }
          })
        },
        as(ALICE)
      )
      expect(storage.seen).toHaveLength(1)
    } finally {
      await storage.close()
    }
  })

  test('gets none by the address of an upload', async () => {
    const storage = await startFaultyRegistry(({ response }) => send(response, 201, {}))
    const fault: Fault = (exchange) =>
      guarded(exchange) === true ||
      (exchange.request.method === 'POST' &&
        send(exchange.response, 202, { location: `${storage.origin}/upload` }))
    try {
      await withRegistry(
        fault,
        ({ client }) => client.upload({ digest: sha256(BYTES), size: BYTES.length }, only(BYTES)),
        as(ALICE)
      )
      expect(storage.seen).toHaveLength(1)
      expect(storage.seen[0]!.headers.authorization).toBeUndefined()
    } finally {
      await storage.close()
    }
  })
})

function only(bytes: Buffer): (offset: number) => AsyncIterable<Buffer> {
  return async function* (offset) {
    await Promise.resolve()
    yield bytes.subarray(offset)
  }
}
