import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDockerArchive } from '../../src/transports/read-docker-archive.ts'
import { digestOf } from '../../src/image/digest.ts'
import { listTags } from '../../src/image/tags.ts'
import { openBlob } from '../../src/store/blob.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { failure } from '../image/errors.ts'
import { file, symlink, tar, type Entry } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const LAYER = tar(file('etc/hostname', 'box'))
const OTHER = tar(file('other', 'x'))

let work: string
let archive: string
beforeEach(() => {
  work = makeTemporary()
  archive = `${work}/a.tar`
})
afterEach(() => removeTemporary(work))

function config(...layers: Buffer[]): Buffer {
  const diff_ids = layers.map((layer) => digestOf(layer))
  const image = { architecture: 'amd64', os: 'linux', Healthcheck: { Test: ['x'] } }
  return Buffer.from(JSON.stringify({ ...image, rootfs: { type: 'layers', diff_ids } }))
}

function save(images: object, ...files: Entry[]): void {
  writeFileSync(archive, tar(...files, file('manifest.json', JSON.stringify(images))))
}

test('gives an image the same OCI manifest every time, with diff IDs as digests of its layers', () => {
  const bytes = config(LAYER, OTHER, LAYER)
  const Layers = ['a/layer.tar', 'b.tar', 'a/layer.tar']
  save(
    [{ Config: 'c.json', RepoTags: ['debian:12', 'host:5000/x'], Layers }],
    file('a/layer.tar', LAYER),
    file('b.tar', OTHER),
    file('c.json', bytes)
  )
  const source = openDockerArchive(archive)
  expect(listTags(source.readIndex())).toEqual([
    'docker.io/library/debian:12',
    'host:5000/x:latest'
  ])
  const image = resolveImage(source, undefined)
  expect(image.rawConfig).toEqual(bytes)
  expect(image.manifest.config.digest).toBe(digestOf(bytes))
  expect(image.manifest.layers.map(({ digest }) => digest)).toEqual(image.config.rootfs.diff_ids)
  expect(image.rawManifest).toEqual(resolveImage(openDockerArchive(archive), undefined).rawManifest)
  for (const layer of image.manifest.layers) {
    const blob = openBlob(source.blobSource(layer))
    blob.verify()
    blob.close()
  }
})

test('tells images without names by their places', () => {
  save(
    [
      { Config: 'c.json', RepoTags: null, Layers: ['l.tar'] },
      { Config: 'd.json', Layers: ['m.tar'] }
    ],
    file('l.tar', LAYER),
    file('m.tar', OTHER),
    file('c.json', config(LAYER)),
    file('d.json', config(OTHER))
  )
  const source = openDockerArchive(archive)
  expect(failure(() => resolveImage(source, undefined))).toMatchObject({
    code: 'TAG_AMBIGUOUS',
    facts: { available: '@0, @1' }
  })
  expect(resolveImage(source, '@1').config.rootfs.diff_ids).toEqual([digestOf(OTHER)])
})

test('reads layers that are packed, as newer versions of docker save leave them', () => {
  const packed = gzipSync(LAYER)
  save(
    [{ Config: 'c.json', Layers: ['blobs/l'] }],
    file('blobs/l', packed),
    file('c.json', config(LAYER))
  )
  const [layer] = resolveImage(openDockerArchive(archive), undefined).manifest.layers
  expect(layer).toEqual({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(packed),
    size: packed.length
  })
})

const CONFIG = config(LAYER)
const ONE = [{ Config: 'c.json', Layers: ['l.tar'] }]

test.each<[name: string, code: string, found: RegExp, images: unknown, ...files: Entry[]]>([
  ['no manifest.json', 'ARCHIVE_INVALID', /missing/, undefined],
  ['a manifest.json that is no list', 'DOCUMENT_INVALID', /list/, {}],
  ['an image without a config', 'DOCUMENT_INVALID', /missing/, [{ Layers: [] }]],
  ['a config that is not there', 'ARCHIVE_INVALID', /missing/, ONE, file('l.tar', LAYER)],
  [
    'a config that is damaged',
    'BLOB_DIGEST_MISMATCH',
    /sha256/,
    [{ Config: `${'0'.repeat(64)}.json`, Layers: ['l.tar'] }],
    file(`${'0'.repeat(64)}.json`, CONFIG),
    file('l.tar', LAYER)
  ],
  [
    'fewer layers than diff ids',
    'DOCUMENT_INVALID',
    /1 diff IDs/,
    [{ Config: 'c.json', Layers: [] }],
    file('c.json', CONFIG)
  ],
  ['a layer that is not there', 'ARCHIVE_INVALID', /missing/, ONE, file('c.json', CONFIG)],
  [
    'a layer that is a link out of the archive',
    'ARCHIVE_INVALID',
    /a link that leads out/,
    ONE,
    file('c.json', CONFIG),
    symlink('l.tar', '/etc/passwd')
  ],
  [
    'a layer that climbs out',
    'ARCHIVE_INVALID',
    /missing/,
    [{ Config: 'c.json', Layers: ['../../etc/passwd'] }],
    file('c.json', CONFIG)
  ],
  [
    'a layer that is packed by xz',
    'MEDIA_TYPE_UNSUPPORTED',
    /xz/,
    ONE,
    file('c.json', CONFIG),
    file('l.tar', Buffer.from('fd377a585a0000', 'hex'))
  ]
])('refuses %s', (_name, code, found, images, ...files) => {
  if (images === undefined) writeFileSync(archive, tar(...files))
  else save(images as object, ...files)
  const error = failure(() => resolveImage(openDockerArchive(archive), undefined))
  expect(error.code).toBe(code)
  expect(JSON.stringify(error.facts)).toMatch(found)
})
