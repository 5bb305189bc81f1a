/** What a connection to a registry gets: certificates of the host and of the machine, and when HTTP is tried. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer, connect, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OciUnpackError } from '../../src/errors.ts'
import { certificateDirectories, findCertificates } from '../../src/registry/certificates.ts'
import { clientSettings } from '../../src/registry/settings.ts'
import { systemAuthorities } from '../../src/registry/system-authorities.ts'
import { failure } from '../image/errors.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const NAMED = { isInsecure: false, isNamed: true }

let work: string
beforeAll(() => {
  work = makeTemporary()
})
afterAll(() => removeTemporary(work))

describe('plain HTTP', () => {
  test.each([
    ['localhost', 'fallback'],
    ['localhost:5000', 'fallback'],
    ['LOCALHOST:5000', 'fallback'],
    ['127.0.0.1:5000', 'fallback'],
    ['127.1.2.3', 'fallback'],
    ['[::1]:5000', 'fallback'],
    ['[0:0::1]', 'fallback'],
    ['localhost.example.com', 'never'],
    ['127.0.0.1.example.com', 'never'],
    ['128.0.0.1', 'never'],
    ['[::2]', 'never'],
    ['docker.io', 'never']
  ])('of %s: %s', async (host, plainHttp) => {
    const env = { HOME: work, SSL_CERT_FILE: '/dev/null' }
    const settings = (tlsVerify?: boolean): Promise<object> =>
      clientSettings({ host, name: 'app', ...NAMED }, { tlsVerify }, { env })
    expect(await settings()).toEqual({
      credentials: undefined,
      plainHttp,
      tls: { verify: true, ca: [] }
    })
    expect(await settings(true)).toMatchObject({ plainHttp: 'never', tls: { verify: true } })
    expect(await settings(false)).toMatchObject({ plainHttp: 'fallback', tls: { verify: false } })
  })
})

test('what the machine says about TLS counts less than what the user says', async () => {
  const endpoint = { host: 'h.io', name: 'app', isInsecure: true, isNamed: true }
  const settings = (tlsVerify?: boolean): Promise<object> =>
    clientSettings(endpoint, { tlsVerify }, { env: { HOME: work } })
  expect(await settings()).toMatchObject({ plainHttp: 'fallback', tls: { verify: false } })
  expect(await settings(true)).toMatchObject({ plainHttp: 'never', tls: { verify: true } })
})

test('credentials that the user gave are not for a mirror', async () => {
  const credentials = { username: 'me', password: 'x' }
  const settings = (isNamed: boolean): Promise<object> =>
    clientSettings(
      { ...NAMED, host: 'h.io', name: 'a', isNamed },
      { credentials },
      { env: { HOME: work } }
    )
  expect(await settings(true)).toMatchObject({ credentials })
  expect(await settings(false)).toMatchObject({ credentials: undefined })
})

test.each<[string, object]>([
  ['authfile', { authfile: 1 }],
  ['certDir', { certDir: ['hunter2'] }],
  ['tlsVerify', { tlsVerify: 'false' }],
  ['credentials', { credentials: null }],
  ['credentials', { credentials: 'me:hunter2' }],
  ['credentials', { credentials: { username: 'me', password: 2 } }],
  ['credentials', { credentials: { username: 'me', secret: 'hunter2' } }],
  ['credentials', { credentials: { identityToken: ['hunter2'] } }]
])('%s of another type: %j', async (name, settings) => {
  const resolving = clientSettings({ host: 'h.io', name: 'a', ...NAMED }, settings, {
    env: { HOME: work }
  })
  const error = (await resolving.catch((reason: unknown) => reason)) as OciUnpackError
  expect(error).toMatchObject({ code: 'USAGE' })
  expect(error.message).toContain(`registry.${name} `)
  expect(JSON.stringify([error, error.message])).not.toContain('hunter2')
})

test('the directories of a host are those of podman and docker', () => {
  expect(certificateDirectories('h.io:5000', { HOME: '/home/me' })).toEqual([
    '/home/me/.config/containers/certs.d/h.io:5000',
    '/etc/containers/certs.d/h.io:5000',
    '/etc/docker/certs.d/h.io:5000'
  ])
})

describe.runIf(needs('openssl'))('certificates', () => {
  beforeAll(() => {
    for (const name of ['ca', 'client', 'other'])
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`
      )
    openssl('ec', '-in', 'client.key', '-aes128', '-passout', 'pass:hunter2', '-out', 'secret.key')
    openssl('x509', '-in', 'ca.pem', '-outform', 'der', '-out', 'ca.der')
  })

  test('of a directory: authorities, and the certificate of this client', () => {
    const directory = place({
      'ca.crt': 'ca.pem',
      'b.crt': 'other.pem',
      'client.cert': 'client.pem',
      'client.key': 'client.key',
      'notes.txt': 'ca.der'
    })
    expect(findCertificates('h.io', directory, {})).toEqual({
      ca: [content('other.pem'), content('ca.pem')],
      own: { cert: content('client.pem'), key: content('client.key') }
    })
    expect(findCertificates('h.io', place({}), {})).toEqual({ ca: [] })
  })

  test('of the first directory that exists for the host, with its port', () => {
    const home = `${work}/home`
    const own = place({ 'ca.crt': 'ca.pem' })
    fs.mkdirSync(`${home}/.config/containers/certs.d`, { recursive: true })
    fs.symlinkSync(own, `${home}/.config/containers/certs.d/h.io:5000`)
    expect(findCertificates('h.io:5000', undefined, { HOME: home }).ca).toEqual([content('ca.pem')])
    expect(findCertificates('h.io', undefined, { HOME: home }).ca).toEqual([])
  })

  test.each<[string, Record<string, string>, string]>([
    ['client.cert', { 'client.cert': 'client.pem' }, 'it does not exist'],
    [
      'registry.key',
      { 'registry.crt': 'ca.pem', 'registry.key': 'ca.key' },
      'there is no registry.cert beside it'
    ],
    [
      'client.key',
      { 'client.cert': 'client.pem', 'client.key': 'other.key' },
      'it does not belong to client.cert'
    ],
    [
      'client.key',
      { 'client.cert': 'client.pem', 'client.key': 'secret.key' },
      'it is not a private key in PEM form without a passphrase'
    ],
    [
      'client.key',
      { 'client.cert': 'client.pem', 'client.key': 'client.pem' },
      'it is not a private key in PEM form without a passphrase'
    ],
    ['ca.crt', { 'ca.crt': 'ca.der' }, 'it does not consist of certificates in PEM form'],
    ['ca.crt', { 'ca.crt': 'ca.key' }, 'it does not consist of certificates in PEM form'],
    ['ca.crt', { 'ca.crt': '' }, 'it is not a regular file']
  ])('what is wrong with %s is named: %j', (name, files, reason) => {
    const directory = place(files)
    const file = `${directory}/${reason === 'it does not exist' ? 'client.key' : name}`
    const error = failure(() => findCertificates('h.io', directory, {}))
    expect(error).toMatchObject({ code: 'CERTIFICATES_INVALID', facts: { file, reason } })
    expect(JSON.stringify([error.facts, error.hint, error.stack])).not.toMatch(
      /PRIVATE KEY|hunter2/
    )
  })

  test('a named directory must exist', () => {
    const error = failure(() => findCertificates('h.io', `${work}/none`, {}))
    expect(error.facts).toMatchObject({ reason: 'it is not a directory that this user may read' })
  })

  test('of the machine: a bundle, directories, and what Node is told', () => {
    const directory = place({ '1.pem': 'client.pem', '2.der': 'ca.der' })
    const env = {
      SSL_CERT_FILE: `${work}/ca.pem`,
      SSL_CERT_DIR: `/none:${directory}:`,
      NODE_EXTRA_CA_CERTS: `${work}/other.pem`
    }
    expect(systemAuthorities(env)).toEqual(['ca.pem', 'client.pem', 'other.pem'].map(content))
    expect(systemAuthorities({ SSL_CERT_FILE: '/none', NODE_EXTRA_CA_CERTS: '/none' })).toEqual([])
  })

  test.runIf(fs.existsSync('/etc/ssl/certs/ca-certificates.crt'))('of this machine', () => {
    expect(systemAuthorities({})[0]!.toString()).toContain('-----BEGIN CERTIFICATE-----')
  })

  test('are what a connection needs', async () => {
    const server = createServer({
      cert: content('ca.pem'),
      key: content('ca.key'),
      ca: content('client.pem'),
      requestCert: true
    })
    server.on('tlsClientError', () => undefined)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const certDir = place({ 'ca.crt': 'ca.pem', 'c.cert': 'client.pem', 'c.key': 'client.key' })
    const env = { HOME: work, SSL_CERT_FILE: '/dev/null' }
    const { tls } = await clientSettings(
      { host: `localhost:${port}`, name: 'a', ...NAMED },
      { certDir },
      { env }
    )
    const { ca, cert, key } = tls
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: [...ca!],
      cert,
      key
    })
    await once(socket, 'secureConnect')
    const [{ authorized }] = await accepted
    expect(authorized).toBe(true)
    socket.destroy()
    server.close()
  })
})

let places = 0
/** A directory with files of these contents; an empty one stands for a directory. */
function place(files: Readonly<Record<string, string>>): string {
  const directory = `${work}/${places++}`
  fs.mkdirSync(directory)
  for (const [name, source] of Object.entries(files))
    if (source === '') fs.mkdirSync(`${directory}/${name}`)
    else fs.copyFileSync(`${work}/${source}`, `${directory}/${name}`)
  return directory
}

function content(name: string): Buffer {
  return fs.readFileSync(`${work}/${name}`)
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: work, stdio: 'pipe' })
}
