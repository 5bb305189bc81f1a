/** Copies between layouts and archives, with skopeo as the second opinion in both directions. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestHex, digestOf, type Digest } from '../../src/image/digest.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../src/image/media-types.ts'
import type { Descriptor } from '../../src/image/types.ts'
import { buildLayout, type TestLayout } from '../store/build-layout.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { library } from '../support/dist.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { unpackFlags } from '../support/whoever.ts'

const LAYERS = [
  tar(directory('etc/'), file('etc/hostname', 'box\n')),
  tar(file('etc/.wh.hostname'), file('data', Buffer.alloc(3 << 20, 'data')))
]
const DOCKER = 'application/vnd.docker'
const REF = 'org.opencontainers.image.ref.name'

let work: string
let layout: TestLayout
beforeEach(() => {
  work = makeTemporary()
  layout = buildLayout()
  layout.tag({
    gzip: image('amd64'),
    plain: image('amd64', OCI_LAYER, (bytes) => bytes),
    docker: dockerImage(),
    many: layout.index([
      { ...image('amd64'), platform: { os: 'linux', architecture: 'amd64' } },
      layout.index([{ ...image('arm64'), platform: { os: 'linux', architecture: 'arm64' } }])
    ]),
    artifact: artifact()
  })
})
afterEach(() => {
  layout.remove()
  removeTemporary(work)
})

function image(
  architecture: string,
  type = `${OCI_LAYER}+gzip`,
  pack: (bytes: Buffer) => Buffer = gzipSync
): Descriptor {
  const layers = LAYERS.map((layer) => layout.blob(pack(layer), type))
  return json({ schemaVersion: 2, config: config(architecture), layers }, OCI_MANIFEST)
}

function config(architecture: string, type = OCI_CONFIG): Descriptor {
  const rootfs = { type: 'layers', diff_ids: LAYERS.map((layer) => digestOf(layer)) }
  return json({ architecture, os: 'linux', config: { Cmd: ['sh'] }, rootfs }, type)
}

function dockerImage(): Descriptor {
  const layers = LAYERS.map((layer) =>
    layout.blob(gzipSync(layer), `${DOCKER}.image.rootfs.diff.tar.gzip`)
  )
  const mediaType = `${DOCKER}.distribution.manifest.v2+json`
  const manifest = { schemaVersion: 2, mediaType, layers }
  return json(
    { ...manifest, config: config('amd64', `${DOCKER}.container.image.v1+json`) },
    mediaType
  )
}

function artifact(): Descriptor {
  const empty = layout.blob('{}', 'application/vnd.oci.empty.v1+json')
  const layers = [layout.blob('signature', 'application/x-signature')]
  const artifactType = 'application/x-signature'
  const subject = image('amd64')
  return json({ schemaVersion: 2, artifactType, config: empty, layers, subject }, OCI_MANIFEST)
}

function json(value: object, mediaType: string): Descriptor {
  return layout.blob(JSON.stringify(value), mediaType)
}

async function copy(source: string, destination: string): Promise<void> {
  await library.copy({ source, destination, jobs: 0 })
}

/** The entry of a tag in an index. */
function entryOf(index: string, tag: string): Descriptor {
  const { manifests } = JSON.parse(index) as { manifests: Descriptor[] }
  return manifests.find(({ annotations }) => annotations?.[REF] === tag)!
}

function inLayout(path: string, tag: string): Descriptor {
  return entryOf(readFileSync(`${path}/index.json`, 'utf8'), tag)
}

function blobs(path: string): string[] {
  return readdirSync(`${path}/blobs/sha256`).sort()
}

async function verified(...names: string[]): Promise<void> {
  for (const layout of names)
    expect(await library.verify({ layout, jobs: 0 })).toMatchObject({ ok: true })
}

describe('an image of a layout', () => {
  test.each(['gzip', 'plain', 'docker', 'many', 'artifact'])(
    'goes through an archive into another layout as it is: %s',
    async (tag) => {
      const source = `${layout.path}:${tag}`
      await copy(source, `oci-archive:${work}/a.tar`)
      await copy(`oci-archive:${work}/a.tar`, `${work}/there:x`)
      await copy(source, `oci:${work}/direct:x`)
      await verified(`oci-archive:${work}/a.tar`, `${work}/there`, `${work}/direct`)
      for (const there of ['there', 'direct']) {
        expect(inLayout(`${work}/${there}`, 'x')).toEqual({
          ...inLayout(layout.path, tag),
          annotations: { [REF]: 'x' }
        })
      }
      expect(blobs(`${work}/there`)).toEqual(blobs(`${work}/direct`))
      for (const name of blobs(`${work}/there`))
        expect(readFileSync(`${work}/there/blobs/sha256/${name}`)).toEqual(
          readFileSync(layout.pathOf(`sha256:${name}` as Digest))
        )
    }
  )

  test('makes the same archive every time', async () => {
    for (const name of ['a', 'b'])
      await copy(`${layout.path}:many`, `oci-archive:${work}/${name}.tar`)
    expect(readFileSync(`${work}/a.tar`)).toEqual(readFileSync(`${work}/b.tar`))
  })

  test('is copied for one platform where that is wanted', async () => {
    await library.copy({
      source: `${layout.path}:many`,
      destination: `${work}/there:x`,
      platform: 'linux/arm64',
      jobs: 0
    })
    await verified(`${work}/there`)
    expect(inLayout(`${work}/there`, 'x')).toMatchObject({
      mediaType: OCI_MANIFEST,
      platform: { architecture: 'arm64' }
    })
    expect(blobs(`${work}/there`)).toHaveLength(4)
  })

  test('leaves other tags and blobs that are there alone', async () => {
    await copy(`${layout.path}:gzip`, `${work}/there:x`)
    const blob = `${work}/there/blobs/sha256/${blobs(`${work}/there`)[0]!}`
    const before = statSync(blob).ino
    await copy(`${layout.path}:many`, `${work}/there:y`)
    expect(statSync(blob).ino).toBe(before)
    expect(inLayout(`${work}/there`, 'x').digest).toBe(inLayout(layout.path, 'gzip').digest)
    await verified(`${work}/there`)
    expect(readdirSync(`${work}/there`).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
  })

  test('repairs a blob of the destination that was cut short', async () => {
    await copy(`${layout.path}:gzip`, `${work}/there:x`)
    const [name] = blobs(`${work}/there`)
    truncateSync(`${work}/there/blobs/sha256/${name!}`, 3)
    await copy(`${layout.path}:gzip`, `${work}/there:x`)
    await verified(`${work}/there`)
  })
})

describe('a docker-archive', () => {
  const one = (): string => `docker-archive:${work}/d.tar`

  test('has plain layers named by diff IDs, and gives a layout with those as digests', async () => {
    await copy(`${layout.path}:docker`, `${one()}:app:1`)
    const [saved] = JSON.parse(ok('tar', '-xOf', `${work}/d.tar`, 'manifest.json').stdout) as {
      Layers: string[]
      RepoTags: string[]
    }[]
    expect(saved!.RepoTags).toEqual(['docker.io/library/app:1'])
    expect(saved!.Layers).toEqual(LAYERS.map((layer) => `${digestHex(digestOf(layer))}.tar`))
    await copy(`${one()}:app:1`, `${work}/there:x`)
    await verified(one(), `${work}/there`)
    for (const layer of LAYERS) expect(blobs(`${work}/there`)).toContain(digestHex(digestOf(layer)))
    const { config: copied } = JSON.parse(
      readFileSync(
        `${work}/there/blobs/sha256/${digestHex(inLayout(`${work}/there`, 'x').digest)}`,
        'utf8'
      )
    ) as { config: Descriptor }
    expect(copied.digest).toBe(config('amd64').digest)
  })

  test('is unpacked as the layout is that it came from', async () => {
    await copy(`${layout.path}:gzip`, one())
    ociUnpackOk('raw', 'unpack', ...unpackFlags, '--image', one(), `${work}/tree`)
    expect(readdirSync(`${work}/tree`).sort()).toEqual(['data', 'etc'])
    expect(readdirSync(`${work}/tree/etc`)).toEqual([])
  })

  test('cannot hold an artifact, nor get a place for a name', async () => {
    await expect(copy(`${layout.path}:artifact`, one())).rejects.toMatchObject({
      code: 'MEDIA_TYPE_UNSUPPORTED'
    })
    await expect(copy(`${layout.path}:gzip`, `${one()}:@0`)).rejects.toMatchObject({
      code: 'REFERENCE_INVALID'
    })
    expect(readdirSync(work)).toEqual([])
  })

  test('is not written where a diff ID is wrong', async () => {
    const rootfs = { type: 'layers', diff_ids: [digestOf(LAYERS[1]!)] }
    const wrong = json({ architecture: 'amd64', os: 'linux', rootfs }, OCI_CONFIG)
    const layers = [layout.blob(gzipSync(LAYERS[0]!), `${OCI_LAYER}+gzip`)]
    layout.tag({ t: json({ schemaVersion: 2, config: wrong, layers }, OCI_MANIFEST) })
    await expect(copy(`${layout.path}:t`, one())).rejects.toMatchObject({
      code: 'DIFF_ID_MISMATCH',
      facts: { layer: `1 (${layers[0]!.digest})` }
    })
    expect(readdirSync(work)).toEqual([])
  })
})

describe.runIf(needs('skopeo'))('skopeo', () => {
  const manifestOf = (name: string): Buffer =>
    Buffer.from(ok('skopeo', 'inspect', '--raw', name).stdout)

  test.each(['gzip', 'plain', 'many'])('reads our oci-archive and layout: %s', async (tag) => {
    await copy(`${layout.path}:${tag}`, `oci-archive:${work}/a.tar:x`)
    await copy(`${layout.path}:${tag}`, `${work}/l:x`)
    for (const name of [
      `oci-archive:${work}/a.tar:x`,
      `oci-archive:${work}/a.tar`,
      `oci:${work}/l:x`
    ]) {
      expect(digestOf(manifestOf(name))).toBe(inLayout(layout.path, tag).digest)
      if (tag === 'many') continue // this skopeo knows no nested indexes
      ok('skopeo', 'copy', '--quiet', name, `dir:${work}/dir`)
      rmSync(`${work}/dir`, { recursive: true })
    }
  })

  test('reads our docker-archive, with and without a name, and finds our digests', async () => {
    await copy(`${layout.path}:gzip`, `docker-archive:${work}/named.tar:app:1`)
    await copy(`${layout.path}:gzip`, `docker-archive:${work}/plain.tar`)
    for (const name of [`${work}/named.tar:docker.io/library/app:1`, `${work}/plain.tar`]) {
      const { config: found, layers } = JSON.parse(
        manifestOf(`docker-archive:${name}`).toString()
      ) as { config: Descriptor; layers: Descriptor[] }
      expect(found.digest).toBe(config('amd64').digest)
      expect(layers.map(({ digest }) => digest)).toEqual(LAYERS.map((layer) => digestOf(layer)))
      ok('skopeo', 'copy', '--quiet', `docker-archive:${name}`, `oci:${work}/again:x`)
      await verified(`${work}/again`)
    }
  })

  test.each([
    ['oci-archive', 'gzip', []],
    ['oci-archive', 'gzip', ['--dest-compress', '--dest-compress-format=zstd']],
    ['docker-archive', 'gzip', []],
    ['docker-archive', 'plain', []]
  ])('writes what we read: %s of %s %j', async (transport, tag, options) => {
    const archive = `${transport}:${work}/s.tar`
    ok('skopeo', 'copy', '--quiet', `oci:${layout.path}:${tag}`, `dir:${work}/dir`)
    const plain = options.length > 0 ? ['--dest-decompress'] : []
    ok('skopeo', 'copy', '--quiet', ...plain, `dir:${work}/dir`, `dir:${work}/plain`)
    const name = `${archive}:app:1`
    ok('skopeo', 'copy', '--quiet', ...options, `dir:${work}/plain`, name)
    await verified(archive)
    if (options.length > 0) expect(manifestOf(archive).toString()).toContain('tar+zstd')
    for (const from of [archive, name]) {
      ociUnpackOk('raw', 'unpack', ...unpackFlags, '--image', from, `${work}/tree`)
      expect(statSync(`${work}/tree/data`).size).toBe(3 << 20)
      rmSync(`${work}/tree`, { recursive: true })
    }
    await copy(name, `${work}/l:x`)
    await verified(`${work}/l`)
    expect(manifestOf(`oci:${work}/l:x`)).toEqual(
      readFileSync(`${work}/l/blobs/sha256/${digestHex(inLayout(`${work}/l`, 'x').digest)}`)
    )
  })
})

describe('nothing is left behind by a copy', () => {
  const DESTINATIONS = ['oci-archive:W/a.tar', 'docker-archive:W/a.tar', 'W/new:x']

  test.each(DESTINATIONS)('of a damaged layer to %s', (to) => {
    const [layer] = LAYERS.map((bytes) => digestOf(gzipSync(bytes)))
    const bytes = readFileSync(layout.pathOf(layer!))
    bytes[20]! ^= 1
    writeFileSync(layout.pathOf(layer!), bytes)
    const { status, stderr } = ociUnpack('copy', `${layout.path}:gzip`, to.replace('W', work))
    expect(status).toBe(1)
    expect(stderr).toMatch(/\[BLOB_DIGEST_MISMATCH\]/)
    expect(readdirSync(work)).toEqual([])
  })

  test.each(DESTINATIONS)('of an image that lacks a layer to %s', async (to) => {
    rmSync(layout.pathOf(digestOf(gzipSync(LAYERS[1]!))))
    await expect(copy(`${layout.path}:gzip`, to.replace('W', work))).rejects.toMatchObject({
      code: 'BLOB_NOT_FOUND'
    })
    expect(readdirSync(work)).toEqual([])
  })

  test('to what is there', async () => {
    writeFileSync(`${work}/a.tar`, 'precious')
    for (const to of [`oci-archive:${work}/a.tar`, `docker-archive:${work}/a.tar`])
      await expect(copy(`${layout.path}:gzip`, to)).rejects.toMatchObject({
        code: 'ARCHIVE_EXISTS'
      })
    await expect(copy(`${layout.path}:gzip`, `${work}/a.tar:x`)).rejects.toMatchObject({
      code: 'LAYOUT_INVALID'
    })
    expect(readFileSync(`${work}/a.tar`, 'utf8')).toBe('precious')
    expect(readdirSync(work)).toEqual(['a.tar'])
  })

  test.each(DESTINATIONS)('that is interrupted, to %s', async (to) => {
    layout.tag({ big: bigImage() })
    const destination = to.replace('W', work)
    const [program, ...args] = [...ociUnpackCommand, 'copy', `${layout.path}:big`, destination]
    const child = spawn(program, args, { stdio: 'ignore' })
    const ended = once(child, 'exit')
    while (!isWriting() && child.exitCode === null) await sleep(5)
    child.kill('SIGINT')
    expect((await ended)[0]).toBe(130)
    expect(readdirSync(work)).toEqual([])
  })

  /** Something hidden is there, and it is not whole yet. */
  function isWriting(): boolean {
    return readdirSync(work).some((name) => name.startsWith('.'))
  }
})

/** 1 GiB of zeros, which lie on the disk as a hole. */
function bigImage(): Descriptor {
  const size = 1 << 30
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(1 << 24)
  for (let at = 0; at < size; at += zeros.length) hash.update(zeros)
  const digest = `sha256:${hash.digest('hex')}` as Digest
  writeFileSync(layout.pathOf(digest), '')
  truncateSync(layout.pathOf(digest), size)
  expect(existsSync(layout.pathOf(digest))).toBe(true)
  const rootfs = { type: 'layers', diff_ids: [digest] }
  const made = json({ architecture: 'amd64', os: 'linux', rootfs }, OCI_CONFIG)
  const layers = [{ mediaType: OCI_LAYER, digest, size }]
  return json({ schemaVersion: 2, config: made, layers }, OCI_MANIFEST)
}
