/** Debian's docker-registry on loopback, in a directory of its own: open, with a password, or with tokens. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createSign, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { keyId, selfSigned, type Certificate } from './certificate.ts'
import { makeTemporary, removeTemporary } from './temporary.ts'
import { send, startFaultyRegistry } from './faulty-registry.ts'

export interface DockerRegistry {
  /** `HOST:PORT` */
  host: string
  /** The file of a blob. */
  blobFile(digest: string): string
  /** How many upload sessions are open. */
  openUploads(): number
  /** What it wrote about requests. */
  log(): string
  /** Bytes of all answers to GET, as it has logged them so far. */
  sent(): Promise<number>
  close(): Promise<void>
}

/** Who may do everything. */
export const REGISTRY_USER = { username: 'alice', password: 'correct horse' }

/** Of `REGISTRY_USER`, with the lowest cost there is. */
const HTPASSWD = 'alice:$2b$04$YnfOehG0W9uznKcFuC9xP.1ChjVQyDCrbSFg5fofX.NkJCJP8k50S\n'

/** @param auth JSON, which is also YAML, of the section `auth`; made with the directory of the registry */
async function start(auth: (directory: string) => object | undefined): Promise<DockerRegistry> {
  const directory = makeTemporary()
  const host = `127.0.0.1:${await freePort()}`
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    http: { addr: host, secret: 'x' },
    ...withAuth(auth(directory))
  }
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')])
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (log += text.toString()))
  await answering(host, child, () => log)
  return {
    host,
    blobFile: (digest) => {
      const hex = digest.replace('sha256:', '')
      return join(directory, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data')
    },
    openUploads: () => countUploads(join(directory, 'data')),
    log: () => log,
    sent: async () => {
      await sleep(LOG_DELAY_MS)
      return bytesOfAnswers(log)
    },
    close: async () => {
      const ended = once(child, 'exit')
      child.kill()
      await ended
      removeTemporary(directory)
    }
  }
}

/** After which what it has logged has arrived here. */
const LOG_DELAY_MS = 300

function bytesOfAnswers(log: string): number {
  return [...log.matchAll(/"GET \S+ HTTP[^"]*" 20\d (\d+)/g)]
    .map(([, bytes]) => Number(bytes))
    .reduce((sum, bytes) => sum + bytes, 0)
}

function withAuth(auth: object | undefined): object {
  return auth === undefined ? {} : { auth }
}

export function startDockerRegistry(): Promise<DockerRegistry> {
  return start(() => undefined)
}

export function startPasswordRegistry(): Promise<DockerRegistry> {
  return start((directory) => {
    const path = join(directory, 'htpasswd')
    writeFileSync(path, HTPASSWD)
    return { htpasswd: { realm: 'test', path } }
  })
}

/** A registry that takes only tokens of its token service, which gives them to `REGISTRY_USER`. */
export async function startTokenRegistry(
  lifeSeconds = 300
): Promise<DockerRegistry & { tokens(): number }> {
  const certificate = selfSigned(['token.test'])
  let tokens = 0
  const service = await startFaultyRegistry(({ request, response, url }) => {
    if (request.headers.authorization !== basic())
      return send(response, 401, {}, '{"details":"wrong"}')
    tokens += 1
    const token = sign(certificate, url.searchParams, lifeSeconds)
    return send(response, 200, {}, JSON.stringify({ token, expires_in: lifeSeconds }))
  })
  const registry = await start((directory) => {
    const rootcertbundle = join(directory, 'root.pem')
    writeFileSync(rootcertbundle, certificate.cert)
    const realm = `${service.origin}/token`
    return { token: { realm, service: 'registry', issuer: 'test', rootcertbundle } }
  })
  return {
    ...registry,
    tokens: () => tokens,
    close: async () => {
      await registry.close()
      await service.close()
    }
  }
}

function basic(): string {
  const { username, password } = REGISTRY_USER
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** A JSON Web Token as docker-registry wants it. */
function sign(
  { privateKey, publicKey }: Certificate,
  query: URLSearchParams,
  lifeSeconds: number
): string {
  const now = Math.floor(Date.now() / 1000)
  const access = query.getAll('scope').map((scope) => {
    const [type, name, actions = ''] = scope.split(':')
    return { type, name, actions: actions.split(',') }
  })
  const claims = {
    iss: 'test',
    sub: 'alice',
    aud: query.get('service'),
    // it accepts clocks that are a minute apart, which would lengthen a short life
    exp: now + lifeSeconds - 60,
    nbf: now - 120,
    iat: now,
    jti: randomUUID(),
    access
  }
  const header = { typ: 'JWT', alg: 'RS256', kid: keyId(publicKey) }
  const signed = [header, claims]
    .map((part) => base64url(Buffer.from(JSON.stringify(part))))
    .join('.')
  return `${signed}.${base64url(createSign('sha256').update(signed).sign(privateKey))}`
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answering(host: string, child: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended: ${log()}`)
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined)
    if (answer !== undefined) return
    await sleep(25)
  }
  throw new Error(`docker-registry does not answer: ${log()}`)
}

/** The directory of a session that was given up stays, without this file. */
function countUploads(data: string): number {
  return entries(data).filter((path) => /\/_uploads\/[^/]+\/startedat$/.test(path)).length
}

function entries(data: string): string[] {
  try {
    return readdirSync(data, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}
