/** Digests and registries: an image copied under its digest, and bytes that have another one. */
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { OciUnpackError } from '../../src/errors.ts'
import { copy, statImage } from '../../src/index.ts'
import { failureOf } from '../registry/support.ts'
import { library } from '../support/dist.ts'
import {
  NAME,
  sha256,
  startFaultyRegistry,
  type FaultyRegistry
} from '../support/faulty-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let source: string
let registry: FaultyRegistry
beforeEach(async () => {
  work = makeTemporary()
  source = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] }).reference
  registry = await startFaultyRegistry()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await registry.close()
  removeTemporary(work)
})

test('an image gets no tag if its digest is the name', async () => {
  const { digest } = await copy({ source, destination: `oci-archive:${work}/archive` })
  await copy({ source, destination: `docker://${registry.host}/${NAME}@${digest!}` })
  expect([...registry.documents.keys()]).toEqual([digest])
})

test('an image with another digest is refused before anything is sent', async () => {
  const other = `sha256:${'0'.repeat(64)}`
  const error = await failureOf(
    copy({ source, destination: `docker://${registry.host}/${NAME}@${other}` })
  )
  expect(error.code).toBe('REFERENCE_INVALID')
  expect(error.facts.expected).toBe(other)
  expect(registry.seen.filter(({ method }) => !['GET', 'HEAD'].includes(method))).toEqual([])
  expect(registry.blobs.size).toBe(0)
})

test('the description of an image has no name that only the question had', async () => {
  await copy({ source, destination: `docker://${registry.host}/${NAME}:t` })
  const stat = await statImage({ image: `docker://${registry.host}/${NAME}:t` })
  const { bytes, mediaType } = registry.documents.get('t')!
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
  expect(stat).toMatchObject({ kind: 'image', image: { manifest: {} } })
  expect(stat.kind === 'image' && stat.image.manifest.descriptor).toEqual(descriptor)
})

describe.each([
  ['a registry', (): string => registry.host],
  ['a mirror', (): string => 'registry.example.com']
])('%s that sends other bytes is named', (kind, hostOf) => {
  const isMirror = kind === 'a mirror'

  beforeEach(async () => {
    await copy({ source, destination: `docker://${registry.host}/${NAME}:t` })
    const mirror = `[[registry.mirror]]\nlocation = "${registry.host}"\ninsecure = true\n`
    const conf = `[[registry]]\nlocation = "registry.example.com"\n${isMirror ? mirror : ''}`
    writeFileSync(`${work}/registries.conf`, conf)
    vi.stubEnv('CONTAINERS_REGISTRIES_CONF', `${work}/registries.conf`)
  })

  async function failureOfReading(): Promise<OciUnpackError> {
    const image = `docker://${hostOf()}/${NAME}:t`
    const error = await failureOfList(image)
    expect(error.facts).toMatchObject({ host: registry.host, repository: NAME })
    expect(error.facts).not.toHaveProperty('file')
    expect(error.hint).toContain(isMirror ? `The mirror ${registry.host}, or` : 'The registry, or')
    return error
  }

  test('in place of a layer', async () => {
    const [digest, bytes] = [...registry.blobs].find(([, blob]) => blob[0] === 0x1f)!
    registry.blobs.set(digest, changed(bytes))
    const { code, facts } = await failureOfReading()
    expect([code, facts.blob]).toEqual(['BLOB_DIGEST_MISMATCH', digest])
  })

  test('in place of the config', async () => {
    const [digest, bytes] = [...registry.blobs].find(([, blob]) => blob[0] === 0x7b)!
    registry.blobs.set(digest, changed(bytes))
    const { code, facts } = await failureOfReading()
    expect([code, facts.blob]).toEqual(['BLOB_DIGEST_MISMATCH', digest])
  })

  test('in place of the manifest', async () => {
    const { bytes, mediaType } = registry.documents.get('t')!
    vi.spyOn(registry.documents, 'get').mockReturnValue({
      bytes: Buffer.concat([bytes, Buffer.from(' ')]),
      mediaType
    })
    const { digest } = await copy({ source, destination: `oci-archive:${work}/archive` })
    const image = `docker://${hostOf()}/${NAME}@${digest!}`
    const { code, facts, hint } = await failureOfList(image)
    expect(code).toBe('BLOB_DIGEST_MISMATCH')
    expect(facts).toMatchObject({ host: registry.host, repository: NAME, expected: digest })
    expect(hint).toContain(isMirror ? `The mirror ${registry.host}, or` : 'The registry, or')
  })
})

/** While threads wait for the registry, it must be able to answer. */
async function failureOfList(image: string): Promise<OciUnpackError> {
  const listed: unknown = await library
    .listFiles({ image, jobs: 1 })
    .catch((error: unknown) => error)
  expect(listed).toBeInstanceOf(library.OciUnpackError)
  return listed as OciUnpackError
}

/** In its last byte. */
function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length - 1]! ^= 1
  return copy
}
