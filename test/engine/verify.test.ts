import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../src/image/media-types.ts'
import type { Descriptor } from '../../src/image/types.ts'
import type { BlobReport, VerifyResult } from '../../src/engine/verify.ts'
import { buildLayout, type TestLayout } from '../store/build-layout.ts'
import { digestOf } from '../../src/image/digest.ts'
import { library } from '../support/dist.ts'
import { file, tar } from '../support/tar-builder.ts'
import { ociUnpack } from '../e2e/cli.ts'

const GZIP = `${OCI_LAYER}+gzip`
const FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'
const TAR = tar(file('name', 'content'))
const PACKED = gzipSync(TAR)

let layout: TestLayout
beforeEach(() => {
  layout = buildLayout()
})
afterEach(() => layout.remove())

interface Parts {
  layer: Descriptor
  config: Descriptor
  manifest: Descriptor
}

/** A tagged image of one gzip layer. */
function image(diffId = digestOf(TAR), layer = layout.blob(PACKED, GZIP)): Parts {
  const config = json({ ...ARM, rootfs: { type: 'layers', diff_ids: [diffId] } }, OCI_CONFIG)
  const manifest = json({ schemaVersion: 2, config, layers: [layer] }, OCI_MANIFEST)
  layout.tag({ t: manifest })
  return { layer, config, manifest }
}

const ARM = { os: 'linux', architecture: 'arm64' }

function json(value: object, mediaType: string): Descriptor {
  return layout.blob(JSON.stringify(value), mediaType)
}

function verify(jobs = 0): Promise<VerifyResult> {
  return library.verify({ layout: layout.path, jobs })
}

/** What is not `ok`, as `role status CODE`. */
function wrong({ blobs }: VerifyResult): string[] {
  return blobs
    .filter(({ status }) => status !== 'ok')
    .map(({ role, status, error }) => `${role} ${status} ${error!.code}`)
}

describe.each([0, 2])('with %i threads', (jobs) => {
  test('a whole image is reported blob by blob, for any platform', async () => {
    const { layer, config, manifest } = image()
    const result = await verify(jobs)
    const report = ({ digest, size, mediaType }: Descriptor, role: string): object => ({
      ...{ digest, size, mediaType, role },
      status: 'ok'
    })
    expect(result).toEqual({
      ok: true,
      blobs: [report(config, 'config'), report(layer, 'layer'), report(manifest, 'manifest')]
    })
  })

  test('a flipped bit in one layer does not keep the others from being verified', async () => {
    const { layer } = image()
    const other = layout.image({ layers: ['whole'] })
    layout.tag({ t: image().manifest, u: other })
    flip(layer, 12)
    const result = await verify(jobs)
    expect(wrong(result)).toEqual(['layer damaged BLOB_DIGEST_MISMATCH'])
    expect(result.ok).toBe(false)
    expect(result.blobs).toHaveLength(6)
  })
})

function flip(descriptor: Descriptor, at: number): void {
  const path = layout.pathOf(descriptor.digest)
  const bytes = readFileSync(path)
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
}

describe('finds', () => {
  test.each<[keyof Parts, string[]]>([
    ['layer', ['layer damaged BLOB_DIGEST_MISMATCH']],
    ['config', ['config damaged BLOB_DIGEST_MISMATCH']],
    ['manifest', ['manifest damaged BLOB_DIGEST_MISMATCH']]
  ])('a flipped bit in a %s', async (part, expected) => {
    flip(image()[part], 11)
    expect(wrong(await verify())).toEqual(expected)
  })

  test.each<[keyof Parts, string[]]>([
    ['layer', ['layer damaged BLOB_SIZE_MISMATCH']],
    ['config', ['config damaged BLOB_SIZE_MISMATCH']],
    ['manifest', ['manifest damaged BLOB_SIZE_MISMATCH']]
  ])('a %s that is too short', async (part, expected) => {
    const path = layout.pathOf(image()[part].digest)
    writeFileSync(path, readFileSync(path).subarray(1))
    expect(wrong(await verify())).toEqual(expected)
  })

  test.each<[keyof Parts, string[]]>([
    ['layer', ['layer missing BLOB_NOT_FOUND']],
    ['config', ['config missing BLOB_NOT_FOUND']],
    ['manifest', ['manifest missing BLOB_NOT_FOUND']]
  ])('a %s that is missing', async (part, expected) => {
    rmSync(layout.pathOf(image()[part].digest))
    expect(wrong(await verify())).toEqual(expected)
  })

  test('a wrong size in a descriptor', async () => {
    const layer = layout.blob(PACKED, GZIP)
    image(undefined, { ...layer, size: layer.size + 1 })
    expect(wrong(await verify())).toEqual(['layer damaged BLOB_SIZE_MISMATCH'])
  })

  test('a wrong diff ID, packed or not', async () => {
    image(digestOf(Buffer.from('something else')))
    const result = await verify()
    expect(wrong(result)).toEqual(['layer damaged DIFF_ID_MISMATCH'])
    expect(fault(result).facts).toMatchObject({ found: digestOf(TAR) })
    layout.tag({ t: layout.image({ diffIds: [digestOf(TAR)] }) })
    expect(wrong(await verify())).toEqual(['layer damaged DIFF_ID_MISMATCH'])
  })

  test('one wrong diff ID where two images share a layer', async () => {
    const good = image().manifest
    const bad = image(digestOf(PACKED)).manifest
    layout.tag({ good, bad })
    expect(wrong(await verify())).toEqual(['layer damaged DIFF_ID_MISMATCH'])
    expect((await library.verify({ image: `${layout.path}:good`, jobs: 0 })).ok).toBe(true)
  })

  test('a diff ID of sha512 too', async () => {
    image(digestOf(TAR, 'sha512'))
    expect(wrong(await verify())).toEqual([])
    image(digestOf(PACKED, 'sha512'))
    expect(wrong(await verify())).toEqual(['layer damaged DIFF_ID_MISMATCH'])
  })

  test('nothing wrong in a layer that is packed otherwise than its media type says', async () => {
    image(undefined, layout.blob(PACKED, `${OCI_LAYER}+zstd`))
    expect(wrong(await verify())).toEqual([])
  })

  test('a layer whose type names a compression that cannot be read', async () => {
    image(undefined, layout.blob(PACKED, `${OCI_LAYER}+xz`))
    expect(wrong(await verify())).toEqual(['other damaged MEDIA_TYPE_UNSUPPORTED'])
  })

  test('holes of sparse files that an unpack would not hash', async () => {
    const size = String(8 * 2 ** 40)
    const pax = { 'GNU.sparse.size': size, 'GNU.sparse.numblocks': '0', 'GNU.sparse.map': '' }
    const sparse = tar(file('sparse', '', { pax }))
    image(digestOf(sparse), layout.blob(gzipSync(sparse), GZIP))
    expect(wrong(await verify())).toEqual(['layer damaged LIMIT_EXCEEDED'])
  })

  test('a layer that is packed in no known way', async () => {
    image(undefined, layout.blob('BZh91AY', GZIP))
    expect(wrong(await verify())).toEqual(['layer damaged COMPRESSION_INVALID'])
  })

  test('documents that break their schemas', async () => {
    const config = json({ ...ARM, rootfs: { type: 'layers', diff_ids: 'none' } }, OCI_CONFIG)
    const layers = [layout.blob(PACKED, GZIP)]
    layout.tag({ t: json({ schemaVersion: 2, config, layers }, OCI_MANIFEST) })
    expect(wrong(await verify())).toEqual(['config damaged DOCUMENT_INVALID'])
    layout.tag({ t: json({ schemaVersion: 1 }, OCI_MANIFEST) })
    expect(wrong(await verify())).toEqual(['manifest damaged DOCUMENT_INVALID'])
  })

  test('fewer diff ids than layers', async () => {
    layout.tag({ t: layout.image({ layers: ['a', 'b'], diffIds: [digestOf(TAR)] }) })
    expect(wrong(await verify())).toEqual(['manifest damaged DOCUMENT_INVALID'])
  })

  test('an index that leads to nothing that is there', async () => {
    const gone = layout.image()
    layout.tag({ t: layout.index([gone]) })
    rmSync(layout.pathOf(gone.digest))
    expect(wrong(await verify())).toEqual(['manifest missing BLOB_NOT_FOUND'])
  })
})

function fault({ blobs }: VerifyResult): NonNullable<BlobReport['error']> {
  return blobs.find(({ error }) => error !== undefined)!.error!
}

describe('an image is whole without', () => {
  test('the images of an index for other platforms', async () => {
    const [here, gone] = [image().manifest, layout.image({ layers: ['other'] })]
    layout.tag({ t: layout.index([gone, layout.index([here])]) })
    rmSync(layout.pathOf(gone.digest))
    const result = await verify()
    expect(wrong(result)).toEqual(['manifest absent BLOB_NOT_FOUND'])
    expect(result.ok).toBe(true)
  })

  test('its subject, and a layer that is not distributable', async () => {
    const subject = { mediaType: OCI_MANIFEST, digest: digestOf(TAR), size: 5 }
    const layer = { mediaType: FOREIGN, digest: digestOf(PACKED), size: PACKED.length }
    const { config } = image(undefined, layer)
    layout.tag({
      t: json({ schemaVersion: 2, config, layers: [layer], subject }, OCI_MANIFEST)
    })
    const result = await verify()
    expect(wrong(result)).toEqual(['layer absent BLOB_NOT_FOUND', 'manifest absent BLOB_NOT_FOUND'])
    expect(result.ok).toBe(true)
  })
})

test('a subject that is there, blobs of artifacts and embedded data are verified', async () => {
  const empty = layout.blob('{}', 'application/vnd.oci.empty.v1+json')
  const blob = layout.blob('signature', 'application/x-signature')
  const embedded = { ...digestAndSize('data'), data: Buffer.from('dutu').toString('base64') }
  const artifact = { schemaVersion: 2, config: empty, layers: [blob, embedded] }
  layout.tag({ t: json({ ...artifact, subject: image().manifest }, OCI_MANIFEST) })
  flip(blob, 1)
  const result = await verify()
  expect(result.blobs.map(({ role }) => role).sort()).toEqual(
    ['config', 'layer', 'manifest', 'manifest', 'other', 'other', 'other'].sort()
  )
  expect(wrong(result)).toEqual([
    'other damaged BLOB_DIGEST_MISMATCH',
    'other damaged BLOB_DIGEST_MISMATCH'
  ])
})

function digestAndSize(text: string): Descriptor {
  return { mediaType: 'application/x-data', digest: digestOf(Buffer.from(text)), size: text.length }
}

test('a chain of subjects is walked to a limit', async () => {
  let manifest = image().manifest
  const config = layout.blob('{}', 'application/vnd.oci.empty.v1+json')
  for (let depth = 0; depth < 20; depth++)
    manifest = json({ schemaVersion: 2, config, layers: [], subject: manifest }, OCI_MANIFEST)
  layout.tag({ t: manifest })
  expect(wrong(await verify())).toEqual(['manifest damaged LIMIT_EXCEEDED'])
})

test('a layer of several images is read once, whatever media type they give it', async () => {
  const docker = layout.blob(PACKED, 'application/vnd.docker.image.rootfs.diff.tar.gzip')
  const [one, two] = [image().manifest, image(undefined, docker).manifest]
  layout.tag({ one, two })
  const { ok, blobs } = await verify()
  expect(ok).toBe(true)
  expect(blobs.filter(({ role }) => role === 'layer')).toHaveLength(1)
})

test('what cannot be verified at all is an error', async () => {
  await expect(library.verify({})).rejects.toMatchObject({ code: 'USAGE' })
  await expect(library.verify({ image: 'a', layout: 'a' })).rejects.toMatchObject({ code: 'USAGE' })
  await expect(library.verify({ layout: `${layout.path}:t` })).rejects.toMatchObject({
    code: 'REFERENCE_INVALID'
  })
  await expect(library.verify({ image: `${layout.path}:no` })).rejects.toMatchObject({
    code: 'TAG_NOT_FOUND'
  })
  const signal = AbortSignal.abort()
  await expect(library.verify({ layout: layout.path, signal })).rejects.toMatchObject({
    code: 'ABORTED'
  })
})

describe('the command', () => {
  test('prints a line for each blob, or JSON, and ends with status 1 where something is wrong', () => {
    const { layer } = image()
    const whole = ociUnpack('verify', '--image', `${layout.path}:t`)
    expect(whole).toMatchObject({ status: 0, stderr: '' })
    expect(whole.stdout.split('\n')).toHaveLength(5)
    flip(layer, 12)
    const damaged = ociUnpack('verify', '--layout', layout.path)
    expect(damaged.status).toBe(1)
    expect(damaged.stdout).toMatch(/^damaged {2}layer .*\n {9}.*\[BLOB_DIGEST_MISMATCH\] file: /m)
    expect(damaged.stderr).toContain('1 of 3 blobs')
    const printed = ociUnpack('verify', '--layout', layout.path, '--json')
    expect(printed.status).toBe(1)
    expect(wrong(JSON.parse(printed.stdout) as VerifyResult)).toEqual([
      'layer damaged BLOB_DIGEST_MISMATCH'
    ])
  })

  test('names the flag of a limit, and does not recommend another copy of a whole image', () => {
    image()
    const limited = ociUnpack('verify', '--layout', layout.path, '--max-entries', '0')
    expect(limited.status).toBe(1)
    expect(limited.stdout).toContain(
      '[LIMIT_EXCEEDED] expected: at most 0; found: 1. Raise --max-entries if'
    )
    expect(limited.stderr).toContain('another copy will not help')
    expect(limited.stderr).not.toContain('Copy the image again')
    flip(image().layer, 12)
    const damaged = ociUnpack('verify', '--layout', layout.path, '--max-entries', '0')
    expect(damaged.stderr).toContain('Copy the image again')
  })

  test('copy names the flag of its only limit', () => {
    const { manifest } = image()
    const args = ['copy', `${layout.path}:t`, `${layout.path}-copy`]
    const limited = ociUnpack(...args, '--max-json-bytes', String(manifest.size - 1))
    expect(limited.stderr).toContain('[LIMIT_EXCEEDED]')
    expect(limited.stderr).toContain('Raise --max-json-bytes if')
  })
})
