/** Several uploads at once, of which one fails. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { REF_NAME } from '../../src/image/tags.ts'
import type { Descriptor } from '../../src/image/types.ts'
import { imageSource, type ImageSource } from '../../src/store/image-source.ts'
import { writeToRepository } from '../../src/transports/write-repository.ts'
import {
  NAME,
  refuse,
  send,
  sha256,
  startFaultyRegistry,
  type Fault
} from '../support/faulty-registry.ts'
import { failureOf } from '../registry/support.ts'

const LAYER = 'application/vnd.oci.image.layer.v1.tar'

/** In memory, with the tag `1`. */
function imageOf(layers: readonly Buffer[]): ImageSource {
  const blobs = new Map<string, Buffer>()
  const add = (mediaType: string, bytes: Buffer): Descriptor => {
    blobs.set(sha256(bytes), bytes)
    return { mediaType, digest: sha256(bytes), size: bytes.length }
  }
  const addJson = (mediaType: string, value: object): Descriptor =>
    add(mediaType, Buffer.from(JSON.stringify(value)))
  const rootfs = { type: 'layers', diff_ids: layers.map(sha256) }
  const config = addJson(OCI_CONFIG, { architecture: 'amd64', os: 'linux', rootfs })
  const manifest = addJson(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config,
    layers: layers.map((layer) => add(LAYER, layer))
  })
  const entry = { ...manifest, annotations: { [REF_NAME]: '1' } }
  return imageSource({
    path: 'memory',
    limit: 1 << 20,
    hasDefaultTag: true,
    onWarning: undefined,
    readIndex: () => ({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }),
    locate: (digest) => ({ data: blobs.get(digest)! })
  })
}

const LARGE = randomBytes(9 << 20)
let longest = 0
const SMALL = [1, 2, 3].map(() => randomBytes(100_000))

/** Takes the large blob slowly, never answers to the first small one, and refuses the second. */
const fault: Fault = async ({ request, response, url }) => {
  if (!url.pathname.includes('uploads')) return false
  if (request.method === 'PATCH') {
    let reached = 0
    for await (const piece of request as AsyncIterable<Buffer>) {
      reached += piece.length
      await sleep(20)
    }
    longest = Math.max(longest, reached)
    return send(response, 202, {})
  }
  const digest = url.searchParams.get('digest')
  if (digest === sha256(SMALL[0]!)) {
    request.resume()
    return true
  }
  if (digest !== sha256(SMALL[1]!)) return false
  await sleep(200)
  return refuse(response, 403, 'DENIED')
}

test('the first failure ends the other uploads, and their sessions, and is told', async () => {
  const registry = await startFaultyRegistry(fault)
  const image = { source: imageOf([LARGE, ...SMALL]), tag: '1', platform: undefined }
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const help = { breathe: pause, wait: pause, onEvent: () => undefined }
  const begun = Date.now()
  try {
    const name = { path: `//${registry.host}/${NAME}`, tag: 'new' }
    const error = await failureOf(writeToRepository(name, image, help))
    expect(error).toMatchObject({
      code: 'REGISTRY_DENIED',
      facts: { blob: sha256(SMALL[1]!), status: 403 }
    })
    // not only when an answer has taken too long
    expect(Date.now() - begun).toBeLessThan(15_000)
    expect(registry.uploads.size).toBe(0)
    expect(longest).toBeLessThan(LARGE.length)
  } finally {
    await registry.close()
  }
})
