/** How a registry is reached: TLS, plain HTTP, proxies, and hosts where nobody is. */
import { createServer, request as httpRequest } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openHttp } from '../../src/registry/http.ts'
import { proxyFor } from '../../src/registry/proxy.ts'
import { Secrets } from '../../src/registry/secrets.ts'
import { selfSigned } from '../support/certificate.ts'
import { send, startFaultyRegistry, type Fault } from '../support/faulty-registry.ts'
import { clientOf, failureOf, readBlob, type Given } from './support.ts'

const BYTES = Buffer.from('the blob')
const certificate = selfSigned(['registry.test', '127.0.0.1'])
const ca = [Buffer.from(certificate.cert)]

afterEach(() => vi.unstubAllEnvs())

/** Reads a blob over TLS. */
async function overTls(given: Given, fault?: Fault, host = '127.0.0.1'): Promise<Buffer> {
  const registry = await startFaultyRegistry(fault, certificate)
  const { client } = clientOf(`${host}:${registry.port}`, { plainHttp: 'never', ...given })
  try {
    return await readBlob(client, registry.addBlob(BYTES))
  } finally {
    await client.close()
    await registry.close()
  }
}

describe('over TLS', () => {
  test.each<[string, Given]>([
    ['with the authority of the registry', { tls: { verify: true, ca } }],
    ['without looking at its certificate', { tls: { verify: false } }],
    ['where plain HTTP is allowed too', { tls: { verify: true, ca }, plainHttp: 'fallback' }]
  ])('%s', async (_name, given) => {
    expect((await overTls(given)).equals(BYTES)).toBe(true)
  })

  test.each<[string, Given]>([
    ['has a certificate of an unknown authority', { tls: { verify: true } }],
    ['has one, and plain HTTP is allowed', { tls: { verify: true }, plainHttp: 'fallback' }],
    [
      'is to be asked with a broken certificate',
      { tls: { verify: true, cert: Buffer.from('?'), key: Buffer.from('?') } }
    ]
  ])('a registry that %s is refused', async (_name, given) => {
    const error = await failureOf(overTls(given))
    expect(error.code).toBe('REGISTRY_TLS')
    expect(error.hint).toContain('registry.certDir')
  })

  test('another name than that of the certificate is refused', async () => {
    const error = await failureOf(overTls({ tls: { verify: true, ca } }, undefined, 'localhost'))
    expect(error).toMatchObject({ code: 'REGISTRY_TLS' })
    expect(error.facts.reason).toContain("does not match certificate's altnames")
  })

  test('plain HTTP is not spoken unless it is allowed', async () => {
    const registry = await startFaultyRegistry()
    const { client } = clientOf(registry.host, { plainHttp: 'never' })
    const error = await failureOf(client.document('x', 1000))
    expect(error).toMatchObject({
      code: 'REGISTRY_TLS',
      message: 'The registry does not speak HTTPS.',
      facts: { reason: 'wrong version number' }
    })
    expect(error.hint).toContain('registry.tlsVerify')
    expect(registry.seen).toEqual([])
    await client.close()
    await registry.close()
  })

  test('a redirect to plain HTTP is not followed', async () => {
    const error = await failureOf(
      overTls({ tls: { verify: true, ca } }, ({ response }) =>
        send(response, 307, { location: 'http://elsewhere/' })
      )
    )
    expect(error).toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' })
  })

  test('a registry that believes it is reached by plain HTTP is corrected', async () => {
    const fault: Fault = ({ url, response, before, request }) =>
      url.pathname.includes('sha256') &&
      before === 0 &&
      send(response, 307, { location: `http://${request.headers.host!}${url.pathname}` })
    expect((await overTls({ tls: { verify: true, ca } }, fault)).equals(BYTES)).toBe(true)
  })

  test('credentials are not sent to a token service without TLS', async () => {
    const fault: Fault = ({ response }) =>
      send(response, 401, { 'www-authenticate': 'Bearer realm="http://auth.example/token"' })
    const credentials = { username: 'alice', password: 'secret' }
    const error = await failureOf(overTls({ tls: { verify: true, ca }, credentials }, fault))
    expect(error).toMatchObject({
      code: 'REGISTRY_DENIED',
      message: 'There is no way to log in to the registry.',
      facts: { reason: 'the token service of the registry does not use HTTPS' }
    })
  })
})

test('a host that the registry refers to is named if it is not there', async () => {
  const fault: Fault = ({ url, response }) =>
    url.pathname.includes('sha256') &&
    send(response, 307, { location: 'http://127.0.0.1:1/x?signature' })
  const registry = await startFaultyRegistry(fault)
  const { client } = clientOf(registry.host)
  const error = await failureOf(readBlob(client, registry.addBlob(BYTES)))
  await client.close()
  await registry.close()
  expect(error).toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    message: 'The registry refers to another host, which failed.',
    facts: { host: registry.host, request: 'GET http://127.0.0.1:1/…' }
  })
  expect(error.hint).toContain('127.0.0.1:1')
})

describe('nobody', () => {
  test.each([
    ['is at this port', '127.0.0.1:1', 'The registry does not accept connections.'],
    ['has this name', 'registry.invalid', 'The host of the registry is not known.']
  ])('%s', async (_name, host, message) => {
    const { client, events } = clientOf(host)
    const error = await failureOf(client.document('x', 1000))
    await client.close()
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE', message, facts: { host } })
    expect(error.hint).toContain('HTTPS_PROXY')
    expect(events).toEqual([])
  })

  test('says anything', async () => {
    const server = createTcpServer()
    const host = `127.0.0.1:${await listening(server)}`
    const { client } = clientOf(host, { timing: { stall: 500 } })
    const error = await failureOf(client.document('x', 1000))
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: 'The registry does not answer.'
    })
    await client.close()
    server.close()
  })
})

/** A proxy that leads everywhere to the same place, and what it was asked. */
async function startProxy(
  port: number,
  status = 200
): Promise<{ address: string; asked: string[]; server: Server }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method!} ${request.url!} ${request.headers['proxy-authorization'] ?? ''}`)
    const { pathname } = new URL(request.url!)
    const onward = httpRequest(
      {
        port,
        host: '127.0.0.1',
        path: pathname,
        method: request.method!,
        headers: request.headers
      },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response)
      }
    )
    request.pipe(onward)
  })
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url!} ${request.headers['proxy-authorization'] ?? ''}`)
    socket.on('error', () => undefined)
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.destroy())
    return undefined
  })
  return { address: `127.0.0.1:${await listening(server)}`, asked, server }
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  )
}

describe('through a proxy', () => {
  test('over TLS, with a password', async () => {
    const registry = await startFaultyRegistry(undefined, certificate)
    const proxy = await startProxy(registry.port)
    vi.stubEnv('HTTPS_PROXY', `http://me:p%40ss@${proxy.address}`)
    const { client } = clientOf('registry.test', { tls: { verify: true, ca }, plainHttp: 'never' })
    expect((await readBlob(client, registry.addBlob(BYTES))).equals(BYTES)).toBe(true)
    const basic = Buffer.from('me:p@ss').toString('base64')
    expect(proxy.asked).toEqual([`CONNECT registry.test:443 Basic ${basic}`])
    expect(registry.seen[0]?.headers.host).toBe('registry.test')
    await client.close()
    await registry.close()
    proxy.server.close()
  })

  test('over plain HTTP, without a tunnel', async () => {
    const registry = await startFaultyRegistry()
    const proxy = await startProxy(registry.port)
    vi.stubEnv('http_proxy', proxy.address)
    vi.stubEnv('https_proxy', 'http://127.0.0.1:1')
    const { client } = clientOf('registry.test')
    expect((await readBlob(client, registry.addBlob(BYTES))).equals(BYTES)).toBe(true)
    expect(proxy.asked[0]).toBe('GET http://registry.test/v2/ ')
    await client.close()
    await registry.close()
    proxy.server.close()
  })

  test('that asks for credentials, without a tunnel', async () => {
    const proxy = createServer((_request, response) => void response.writeHead(407).end())
    const environment = { HTTP_PROXY: `127.0.0.1:${await listening(proxy)}` }
    const http = openHttp({ tls: { verify: true }, stallMs: 5000, environment }, new Secrets())
    const asking = http.request({
      method: 'GET',
      url: new URL('http://registry.test/v2/'),
      headers: {},
      signal: new AbortController().signal,
      answerMs: 5000
    })
    await expect(asking).rejects.toMatchObject({ kind: 'no-tunnel', proxy: environment.HTTP_PROXY })
    await http.close()
    proxy.close()
  })

  test('that refuses', async () => {
    const proxy = await startProxy(1, 407)
    vi.stubEnv('HTTPS_PROXY', proxy.address)
    const { client } = clientOf('registry.test', { plainHttp: 'never' })
    const error = await failureOf(client.document('x', 1000))
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: 'The proxy does not lead to the registry.',
      facts: { host: 'registry.test', proxy: proxy.address }
    })
    expect(error.facts.reason).toContain('407')
    await client.close()
    proxy.server.close()
  })
})

describe('a proxy that is not there is told, without its credentials', () => {
  test.each([
    ['HTTPS_PROXY', '127.0.0.1:1', 'never'],
    ['https_proxy', 'proxy.invalid:3128', 'fallback']
  ] as const)('%s=%s', async (name, address, plainHttp) => {
    vi.stubEnv(name, `http://me:p%40ssword@${address}`)
    const { client, events } = clientOf('registry.invalid', { plainHttp })
    const error = await failureOf(client.document('x', 1000))
    await client.close()
    expect(events).toEqual([])
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: 'The proxy on the way to the registry cannot be reached.',
      facts: { host: 'registry.invalid', proxy: address }
    })
    expect(error.hint).toContain('NO_PROXY')
    expect(inspect(error, { depth: 9 })).not.toMatch(/ssword|bWU6/)
  })
})

test('docker.io is the registry behind that name', async () => {
  const proxy = await startProxy(1, 502)
  vi.stubEnv('HTTPS_PROXY', proxy.address)
  const { client } = clientOf('docker.io', { plainHttp: 'never', timing: { attempts: 1 } })
  const error = await failureOf(client.document('x', 1000))
  expect(error.facts.host).toBe('docker.io')
  expect(proxy.asked).toEqual(['CONNECT registry-1.docker.io:443 '])
  await client.close()
  proxy.server.close()
})

const PROXY = 'http://p:1/'

type Row = [url: string, environment: Record<string, string>, proxy: string | undefined]

const CHOICES: Row[] = [
  ['https://r.example/', { HTTPS_PROXY: PROXY }, PROXY],
  ['https://r.example/', { https_proxy: 'p:1' }, PROXY],
  ['https://r.example/', { HTTP_PROXY: PROXY }, undefined],
  ['http://r.example/', { HTTP_PROXY: PROXY }, PROXY],
  ['https://localhost/', { HTTPS_PROXY: PROXY }, undefined],
  ['https://127.1.2.3/', { HTTPS_PROXY: PROXY }, undefined],
  ['https://[::1]:5000/', { HTTPS_PROXY: PROXY }, undefined],
  ...without('https://r.example/', '*', 'r.example', 'example', '.example', '*.example'),
  ...without('https://r.example/', 'other, r.example', 'R.Example:443'),
  ...despite('https://r.example/', 'ample', '.r.example', 'r.example:444', ''),
  ...without('https://10.1.2.3/', '10.0.0.0/8', '10.1.2.3'),
  ...despite('https://10.1.2.3/', '11.0.0.0/8', '2.3', '10.0.0.0/99', 'x/8'),
  ...without('https://[fd00::1]/', 'fd00::/8', '[fd00::1]', 'fd00::1'),
  ...despite('https://[fd00::1]:7/', '[fd00::1]:8', '10.0.0.0/8')
]

function without(url: string, ...excluded: string[]): Row[] {
  return excluded.map((NO_PROXY) => [url, { HTTPS_PROXY: PROXY, NO_PROXY }, undefined])
}

function despite(url: string, ...excluded: string[]): Row[] {
  return excluded.map((no_proxy) => [url, { HTTPS_PROXY: PROXY, no_proxy }, PROXY])
}

describe('the proxy', () => {
  test.each(CHOICES)('for %s with %j', (url, environment, expected) => {
    expect(proxyFor(new URL(url), environment)?.href).toBe(expected)
  })

  test.each(['socks5://p:1', 'http://'])('%s cannot be used', async (HTTPS_PROXY) => {
    vi.stubEnv('HTTPS_PROXY', HTTPS_PROXY)
    const { client } = clientOf('registry.test', { plainHttp: 'never' })
    const error = await failureOf(client.document('x', 1000))
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: 'The proxy in HTTPS_PROXY cannot be used.'
    })
    await client.close()
  })
})
