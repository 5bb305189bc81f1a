/** What tools write as a docker-archive, in shapes built here: each is read with all its layers. */
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import { listTags } from '../../src/image/tags.ts'
import { openBlob } from '../../src/store/blob.ts'
import type { ImageSource } from '../../src/store/image-source.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { openDockerArchive } from '../../src/transports/read-docker-archive.ts'
import { openOciArchive } from '../../src/transports/read-oci-archive.ts'
import { failure } from '../image/errors.ts'
import { directory, file, hardlink, symlink, tar, type Entry } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const A = tar(file('a', 'a'))
const B = tar(file('b', 'b'))
const EMPTY = tar()
const hex = (bytes: Buffer): string => digestOf(bytes).slice(7)
const id = (n: number): string => String(n).padStart(64, '0')
const configOf = (...layers: Buffer[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) }
    })
  )
const CONFIG = configOf(A, EMPTY, B, EMPTY)
const NAMED = `${hex(CONFIG)}.json`
const manifest = (...images: object[]): Entry => file('manifest.json', JSON.stringify(images))
const blob = (bytes: Buffer): string => `blobs/sha256/${hex(bytes)}`

let work: string
let archive: string
beforeEach(() => {
  work = makeTemporary()
  archive = `${work}/a.tar`
})
afterEach(() => removeTemporary(work))

function save(...entries: Entry[]): ImageSource {
  writeFileSync(archive, tar(...entries))
  return openDockerArchive(archive)
}

/** The content of the layers of an image, as stored. */
function layersOf(source: ImageSource, tag?: string): Buffer[] {
  return resolveImage(source, tag).manifest.layers.map((layer) => {
    const opened = openBlob(source.blobSource(layer))
    try {
      const chunks: Buffer[] = []
      for (let chunk = opened.read(); chunk !== undefined; chunk = opened.read())
        chunks.push(Buffer.from(chunk))
      opened.verify()
      return Buffer.concat(chunks)
    } finally {
      opened.close()
    }
  })
}

const layerDirectory = (n: number, content: Entry): Entry[] => [directory(`${id(n)}/`), content]
const inDirectory = (n: number): string => `${id(n)}/layer.tar`
const LEGACY = [1, 2, 3, 4].map(inDirectory)

describe('an image with two equal layers is read as written by', () => {
  test.each<[writer: string, entries: Entry[]]>([
    [
      'Docker 1.12 to 24, which links the second to the first',
      [
        ...layerDirectory(1, file(inDirectory(1), A)),
        ...layerDirectory(2, file(inDirectory(2), EMPTY)),
        ...layerDirectory(3, file(inDirectory(3), B)),
        ...layerDirectory(4, symlink(inDirectory(4), `../${inDirectory(2)}`)),
        file(NAMED, CONFIG),
        manifest({ Config: NAMED, RepoTags: ['app:1'], Layers: LEGACY })
      ]
    ],
    [
      'the same, with the link before its target',
      [
        ...layerDirectory(2, symlink(inDirectory(2), `../${inDirectory(4)}`)),
        ...layerDirectory(1, file(inDirectory(1), A)),
        ...layerDirectory(3, file(inDirectory(3), B)),
        ...layerDirectory(4, file(inDirectory(4), EMPTY)),
        file(NAMED, CONFIG),
        manifest({ Config: NAMED, RepoTags: ['app:1'], Layers: LEGACY })
      ]
    ],
    [
      'GNU tar, packing a directory with hard links',
      [
        file(`./${NAMED}`, CONFIG),
        file(`./${inDirectory(1)}`, A),
        file(`./${inDirectory(2)}`, EMPTY),
        file(`./${inDirectory(3)}`, B),
        hardlink(`./${inDirectory(4)}`, `./${inDirectory(2)}`),
        file('./manifest.json', JSON.stringify([{ Config: NAMED, Layers: LEGACY }]))
      ]
    ],
    [
      'podman and skopeo: layers at the top, links in legacy directories',
      [
        file(`${hex(A)}.tar`, A),
        ...layerDirectory(1, symlink(inDirectory(1), `../${hex(A)}.tar`)),
        file(`${hex(EMPTY)}.tar`, EMPTY),
        ...layerDirectory(2, symlink(inDirectory(2), `../${hex(EMPTY)}.tar`)),
        file(`${hex(B)}.tar`, B),
        file(NAMED, CONFIG),
        file('repositories', '{}'),
        manifest({
          Config: NAMED,
          RepoTags: null,
          Layers: [A, EMPTY, B, EMPTY].map((layer) => `${hex(layer)}.tar`)
        })
      ]
    ],
    [
      'a tool that names the links in manifest.json, through chains and linked directories',
      [
        file('store/a', A),
        file('store/e', EMPTY),
        file('store/b', B),
        symlink('layers', './store/.'),
        symlink('first', 'second'),
        symlink('second', 'layers/a'),
        hardlink('deep/er/hard', 'deep/er/soft'),
        symlink('deep/er/soft', '../../layers/../store//b'),
        symlink('c.json', 'real.json'),
        file('real.json', CONFIG),
        symlink('manifest.json', 'm.json'),
        file(
          'm.json',
          JSON.stringify([
            { Config: 'c.json', Layers: ['first', 'layers/e', './deep/er/hard', 'store/e'] }
          ])
        )
      ]
    ],
    [
      'nix (dockerTools): names with ./, a directory for each layer, members repeated',
      [
        directory('./'),
        file(`./${hex(A)}/layer.tar`, A),
        file(`./${hex(EMPTY)}/layer.tar`, EMPTY),
        file(`./${hex(B)}/layer.tar`, B),
        file(`./${hex(EMPTY)}/layer.tar`, EMPTY),
        file(`./${NAMED}`, CONFIG),
        file(
          './manifest.json',
          JSON.stringify([
            {
              Config: NAMED,
              RepoTags: ['app:1'],
              Layers: [A, EMPTY, B, EMPTY].map((layer) => `${hex(layer)}/layer.tar`)
            }
          ])
        )
      ]
    ],
    [
      'Docker 25 and later: a layout and manifest.json in one',
      [
        directory('blobs/'),
        directory('blobs/sha256/'),
        ...[A, EMPTY, B, CONFIG].map((bytes) => file(blob(bytes), bytes)),
        file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
        file('index.json', '{"schemaVersion":2,"manifests":[]}'),
        manifest({
          Config: blob(CONFIG),
          RepoTags: ['app:1'],
          Layers: [A, EMPTY, B, EMPTY].map(blob),
          LayerSources: { [digestOf(A)]: { mediaType: 'x', size: A.length, digest: digestOf(A) } }
        })
      ]
    ]
  ])('%s', (_writer, entries) => {
    const source = save(...entries)
    expect(layersOf(source)).toEqual([A, EMPTY, B, EMPTY])
    expect(resolveImage(source, undefined).rawConfig).toEqual(CONFIG)
  })

  test.each<[writer: string, config: string, name: (packed: Buffer) => string]>([
    ['kaniko, crane and ko', `sha256:${hex(CONFIG)}`, (packed) => `${hex(packed)}.tar.gz`],
    ['jib', 'config.json', (packed) => `${hex(packed)}.tar.gz`],
    ['a tool that names layers after their diff IDs', 'c.json', (packed) => `${hex(packed)}.tar`],
    ['BuildKit and the containerd store', blob(CONFIG), blob]
  ])('%s, with gzip layers', (_writer, config, name) => {
    const [a, e, b] = [A, EMPTY, B].map((layer) => gzipSync(layer))
    const stored = [a!, e!, b!, e!]
    const source = save(
      file(config, CONFIG),
      file(name(a!), a),
      file(name(e!), e),
      file(name(b!), b),
      manifest({ Config: config, RepoTags: ['app:1'], Layers: stored.map(name) })
    )
    expect(layersOf(source)).toEqual(stored)
  })
})

test('an archive of Docker 25 and later is read by both transports', () => {
  const oci = JSON.stringify({
    schemaVersion: 2,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(CONFIG),
      size: CONFIG.length
    },
    layers: [A, EMPTY, B, EMPTY].map((bytes) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: digestOf(bytes),
      size: bytes.length
    }))
  })
  const bytes = Buffer.from(oci)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const entry = { mediaType, digest: digestOf(bytes), size: bytes.length }
  const docker = save(
    ...[A, EMPTY, B, CONFIG, bytes].map((content) => file(blob(content), content)),
    file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    file('index.json', JSON.stringify({ schemaVersion: 2, manifests: [entry] })),
    manifest({ Config: blob(CONFIG), RepoTags: ['app:1'], Layers: [A, EMPTY, B, EMPTY].map(blob) })
  )
  expect(layersOf(docker)).toEqual([A, EMPTY, B, EMPTY])
  expect(layersOf(openOciArchive(archive))).toEqual([A, EMPTY, B, EMPTY])
})

test('an image without layers', () => {
  const config = configOf()
  const source = save(file('c.json', config), manifest({ Config: 'c.json', Layers: null }))
  expect(layersOf(source)).toEqual([])
})

const GOOD = configOf(A)
const BAD = configOf(B)

describe('closes only the image that needs it:', () => {
  test.each<[what: string, found: RegExp, ...entries: Entry[]]>([
    ['a link that leads nowhere', /a link to a missing file/, symlink('bad', 'nothing')],
    ['a link through a file', /a link to a missing file/, symlink('bad', 'good/x')],
    ['a link that climbs out', /leads out/, symlink('bad', '../bad')],
    [
      'a link that climbs out and back',
      /leads out/,
      symlink('d/bad2', '../../x/good'),
      symlink('bad', 'd/bad2')
    ],
    ['an absolute link', /leads out/, symlink('bad', '/good')],
    ['a link to itself', /circle/, symlink('bad', 'bad')],
    ['links in a circle', /circle/, symlink('bad', 'e/f'), symlink('e', 'e2'), symlink('e2', 'e')],
    ['a hard link to itself', /circle/, hardlink('bad', 'bad')],
    ['a link to a directory', /directory/, directory('d/'), symlink('bad', 'd')],
    ['two different files of one name', /two members/, file('bad', B), file('bad', EMPTY)],
    ['a file and a link of one name', /two members/, file('bad', B), symlink('bad', 'good')],
    ['a layer that is missing', /missing/]
  ])('%s', (_what, found, ...entries) => {
    const source = save(
      file('good', A),
      file('good.json', GOOD),
      file('bad.json', BAD),
      manifest(
        { Config: 'bad.json', RepoTags: ['bad'], Layers: ['bad'] },
        { Config: 'good.json', RepoTags: ['good'], Layers: ['good'] }
      ),
      ...entries
    )
    const [bad, good] = listTags(source.readIndex())
    expect(layersOf(source, good)).toEqual([A])
    const error = failure(() => resolveImage(source, bad))
    expect(error.code).toBe('ARCHIVE_INVALID')
    expect(error.facts.file).toBe(`${archive}/bad`)
    expect(error.facts.found).toMatch(found)
  })
})

test('the archives of Docker before 1.10, which have no manifest.json, are named as such', () => {
  writeFileSync(archive, tar(file(`${id(1)}/layer.tar`, A), file('repositories', '{}')))
  const error = failure(() => openDockerArchive(archive))
  expect(error.code).toBe('ARCHIVE_INVALID')
  expect(error.message).toContain('Docker 1.9')
  expect(error.hint).toContain('docker load')
})
