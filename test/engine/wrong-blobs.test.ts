/** A blob that is not what its digest says is reported as that, whatever its content looks like to a parser. */
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { hostPlatform } from '../../src/image/platform.ts'
import type { Descriptor } from '../../src/image/types.ts'
import { buildLayout, type TestLayout } from '../store/build-layout.ts'
import { library } from '../support/dist.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

const TAR = tar(file('name', 'content'), file('other', 'content'))

let layout: TestLayout
let work = ''
beforeEach(() => {
  layout = buildLayout()
  work = makeTemporary()
})
afterEach(() => {
  layout.remove()
  removeTemporary(work)
})

/** An image of one layer, in which a bit of the layer's blob is then flipped. */
function damagedImage(blob: Buffer, mediaType: string, at: number): void {
  const layer = layout.blob(blob, mediaType)
  const json = (value: object, type: string): Descriptor => layout.blob(JSON.stringify(value), type)
  const rootfs = { type: 'layers', diff_ids: [digestOf(TAR)] }
  const config = json({ ...hostPlatform(), rootfs }, OCI_CONFIG)
  layout.tag({ t: json({ schemaVersion: 2, config, layers: [layer] }, OCI_MANIFEST) })
  const path = layout.pathOf(layer.digest)
  const bytes = readFileSync(path)
  bytes[at]! ^= 0x10
  writeFileSync(path, bytes)
}

interface Failure {
  code: string
  cause?: { code: string }
}

const OPERATIONS: Record<string, (jobs: number) => Promise<unknown>> = {
  unpack: (jobs) =>
    library.unpackRootfs({
      ...unpackOptions,
      image: `${layout.path}:t`,
      destination: `${work}/rootfs`,
      jobs
    }),
  'file list': (jobs) => library.listFiles({ image: `${layout.path}:t`, jobs }),
  'file cat': (jobs) =>
    library.catFile({ image: `${layout.path}:t`, path: '/other', jobs, write: () => undefined }),
  'copy to a layout': (jobs) =>
    library.copy({ source: `${layout.path}:t`, destination: `${work}/copy`, jobs }),
  'copy to a docker-archive': (jobs) =>
    library.copy({ source: `${layout.path}:t`, destination: `docker-archive:${work}/a.tar`, jobs })
}

async function failureOf(operation: Promise<unknown>): Promise<Failure> {
  try {
    await operation
  } catch (error) {
    return error as Failure
  }
  throw new Error('nothing was thrown')
}

const BLOBS: readonly [string, Buffer, string, number, string][] = [
  ['a tar header', TAR, OCI_LAYER, 3, 'TAR_INVALID'],
  ['the type of an entry', TAR, OCI_LAYER, 1024 + 156, 'TAR_INVALID'],
  ['a gzip header', gzipSync(TAR), `${OCI_LAYER}+gzip`, 0, 'COMPRESSION_INVALID'],
  ['gzip data', gzipSync(TAR), `${OCI_LAYER}+gzip`, 20, 'COMPRESSION_INVALID']
]

describe.each(BLOBS)('a flipped bit in %s', (_, blob, mediaType, at, cause) => {
  test.each(Object.keys(OPERATIONS))('is found by digest: %s', async (name) => {
    damagedImage(blob, mediaType, at)
    const { code } = await failureOf(OPERATIONS[name]!(0))
    expect(code).toBe('BLOB_DIGEST_MISMATCH')
  })

  test.each([0, 1])('and keeps what it was found by, with %i threads', async (jobs) => {
    damagedImage(blob, mediaType, at)
    expect(await failureOf(OPERATIONS['unpack']!(jobs))).toMatchObject({
      code: 'BLOB_DIGEST_MISMATCH',
      cause: { code: cause }
    })
  })

  test('is damage to verify', async () => {
    damagedImage(blob, mediaType, at)
    const { blobs } = await library.verify({ layout: layout.path, jobs: 0 })
    const codes = blobs.flatMap(({ error }) => error?.code ?? [])
    expect(codes).toEqual(['BLOB_DIGEST_MISMATCH'])
  })
})

test('a right blob that cannot be understood is reported as that', async () => {
  damagedImage(TAR, OCI_LAYER, 3)
  const { digest } = layout.blob(TAR, OCI_LAYER)
  const broken = Buffer.from(readFileSync(layout.pathOf(digest)))
  broken[3]! ^= 1
  const config = layout.blob(
    JSON.stringify({ ...hostPlatform(), rootfs: { type: 'layers', diff_ids: [digestOf(broken)] } }),
    OCI_CONFIG
  )
  const layers = [layout.blob(broken, OCI_LAYER)]
  layout.tag({ t: layout.blob(JSON.stringify({ schemaVersion: 2, config, layers }), OCI_MANIFEST) })
  expect((await failureOf(OPERATIONS['unpack']!(0))).code).toBe('TAR_INVALID')
})
