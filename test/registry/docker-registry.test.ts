/** The client with a real registry. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OCI_MANIFEST } from '../../src/image/media-types.ts'
import type { RegistryClient, RegistryEvent } from '../../src/registry/registry.ts'
import {
  REGISTRY_USER,
  startDockerRegistry,
  startPasswordRegistry,
  startTokenRegistry,
  type DockerRegistry
} from '../support/docker-registry.ts'
import { sha256 } from '../support/faulty-registry.ts'
import { needs } from '../support/requires.ts'
import { clientOf, failureOf, readBlob } from './support.ts'

const SMALL = randomBytes(1000)
const LARGE = randomBytes(9 << 20)

type Started = DockerRegistry & { tokens?: () => number }

const KINDS: [string, () => Promise<Started>][] = [
  ['without authentication', startDockerRegistry],
  ['with a password', startPasswordRegistry],
  ['with tokens', () => startTokenRegistry()]
]

describe.runIf(needs('docker-registry')).each(KINDS)('docker-registry %s', (kind, start) => {
  let registry: Started
  let client: RegistryClient
  let events: RegistryEvent[]
  beforeAll(async () => {
    registry = await start()
    ;({ client, events } = clientOf(registry.host, { credentials: REGISTRY_USER }))
  })
  afterAll(async () => {
    await client.close()
    await registry.close()
  })

  test('stores and sends an image', async () => {
    const [small, large] = [blobOf(SMALL), blobOf(LARGE)]
    expect(await client.hasBlob(large)).toBe(false)
    await Promise.all([client.upload(small, reader(SMALL)), client.upload(large, reader(LARGE))])
    expect(await client.hasBlob(large)).toBe(true)
    const bytes = manifest()
    const digest = await client.putDocument('new', { bytes, mediaType: OCI_MANIFEST })
    expect(digest).toBe(sha256(bytes))
    expect(await client.document('new', 10_000)).toEqual({ bytes, digest, mediaType: OCI_MANIFEST })
    expect(await client.hasDocument(digest)).toBe(true)
    expect((await readBlob(client, large)).equals(LARGE)).toBe(true)
    expect((await readBlob(client, large, 9_000_000)).equals(LARGE.subarray(9_000_000))).toBe(true)
    for await (const tags of client.tags()) expect(tags).toEqual(['new'])
    expect(JSON.parse((await client.referrers(digest)).toString())).toMatchObject({ manifests: [] })
    expect(registry.openUploads()).toBe(0)
    expect(events).toEqual([])
    // one to pull, one to push
    if (registry.tokens !== undefined) expect(registry.tokens()).toBe(2)
  })

  test('mounts a blob of another repository', async () => {
    const other = clientOf(registry.host, { credentials: REGISTRY_USER }, 'other/name')
    expect(await other.client.mount(blobOf(LARGE), 'library/thing')).toBe(true)
    expect((await readBlob(other.client, blobOf(LARGE))).equals(LARGE)).toBe(true)
    expect(
      await other.client.mount({ digest: sha256(Buffer.alloc(7)), size: 7 }, 'library/thing')
    ).toBe(false)
    expect(registry.openUploads()).toBe(0)
    await other.client.close()
  })

  test('leaves no session open after a stop', async () => {
    const stop = new AbortController()
    const stopped = clientOf(registry.host, { credentials: REGISTRY_USER, signal: stop.signal })
    const bytes = randomBytes(12 << 20)
    const work = stopped.client.upload(blobOf(bytes), async function* () {
      yield bytes.subarray(0, 4 << 20)
      await sleep(200)
      expect(registry.openUploads()).toBe(1)
      stop.abort()
      await sleep(60_000, undefined, { ref: false })
    })
    expect((await failureOf(work)).code).toBe('ABORTED')
    expect(registry.openUploads()).toBe(0)
    await stopped.client.close()
  })

  test('says what it does not have', async () => {
    const none = clientOf(registry.host, { credentials: REGISTRY_USER }, 'does/not/exist')
    const listing = none.client.tags()[Symbol.asyncIterator]().next()
    expect((await failureOf(listing)).code).toBe('REPOSITORY_NOT_FOUND')
    expect((await failureOf(client.document('none', 10_000))).code).toBe('MANIFEST_NOT_FOUND')
    const missing = { digest: sha256(Buffer.alloc(5)), size: 5 }
    expect((await failureOf(readBlob(client, missing))).code).toBe('BLOB_NOT_FOUND')
    await none.client.close()
  })

  test.runIf(kind !== 'without authentication')('denies what it should', async () => {
    for (const credentials of [undefined, { username: 'alice', password: 'wrong' }]) {
      const denied = clientOf(registry.host, { credentials })
      const error = await failureOf(denied.client.document('new', 10_000))
      expect(error.code).toBe('REGISTRY_DENIED')
      expect(error.hint).toContain(credentials === undefined ? 'No credentials' : 'not valid')
      await denied.client.close()
    }
  })
})

test.runIf(needs('docker-registry'))('tokens that expire are renewed', async () => {
  const registry = await startTokenRegistry(2)
  const { client } = clientOf(registry.host, { credentials: REGISTRY_USER })
  await client.upload(blobOf(LARGE), reader(LARGE))
  const before = registry.tokens()
  let pieces = 0
  const read: Buffer[] = []
  await client.blob(blobOf(LARGE), 0, async (piece) => {
    if (pieces++ === 1) await sleep(2100)
    read.push(Buffer.from(piece))
  })
  expect(Buffer.concat(read).equals(LARGE)).toBe(true)
  expect(await client.hasBlob(blobOf(LARGE))).toBe(true)
  expect(registry.tokens()).toBeGreaterThan(before)
  await client.close()
  await registry.close()
})

function blobOf(bytes: Buffer): { digest: ReturnType<typeof sha256>; size: number } {
  return { digest: sha256(bytes), size: bytes.length }
}

function reader(bytes: Buffer): (offset: number) => AsyncIterable<Buffer> {
  return async function* (offset) {
    await Promise.resolve()
    for (let at = offset; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20))
  }
}

function manifest(): Buffer {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...blobOf(SMALL) }
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...blobOf(LARGE) }
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] })
  )
}
