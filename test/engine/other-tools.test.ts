/**
 * What other tools write, through every operation that reads images: an image is verified where it can be unpacked, an
 * artifact is only bytes, and everything can be copied and is kept by a garbage collection.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { hostPlatform } from '../../src/image/platform.ts'
import { REF_NAME } from '../../src/image/tags.ts'
import type { Descriptor, ImageIndex } from '../../src/image/types.ts'
import { buildLayout, type TestLayout } from '../store/build-layout.ts'
import { library } from '../support/dist.ts'
import { file, hardlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { codeOf, recorder } from './support.ts'
import { unpackOptions } from '../support/whoever.ts'

const TAR = tar(file('name', 'content'))
const EMPTY = 'application/vnd.oci.empty.v1+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const UNKNOWN = { os: 'unknown', architecture: 'unknown' }
const HERE = hostPlatform()

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

function json(value: object, mediaType: string): Descriptor {
  return layout.blob(JSON.stringify(value), mediaType)
}

function manifest(
  config: Descriptor,
  layers: readonly Descriptor[],
  more: object = {}
): Descriptor {
  return json({ schemaVersion: 2, config, layers, ...more }, OCI_MANIFEST)
}

function imageWith(config: object, layers: readonly Buffer[] = [TAR]): Descriptor {
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) }
  return manifest(
    json({ ...HERE, rootfs, ...config }, OCI_CONFIG),
    layers.map((layer) => layout.blob(gzipSync(layer), `${OCI_LAYER}+gzip`))
  )
}

/** A manifest whose config is that of an image, though its only blob is not a layer. */
function inDisguise(mediaType: string, config: object = UNKNOWN): Descriptor {
  const blob = layout.blob('{}', mediaType)
  const rootfs = { type: 'layers', diff_ids: [blob.digest] }
  return manifest(json({ rootfs, ...config }, OCI_CONFIG), [blob])
}

function attested(attestation: Descriptor, image = imageWith({})): Descriptor {
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': image.digest
  }
  return layout.index([
    { ...image, platform: HERE },
    { ...attestation, platform: UNKNOWN, annotations }
  ])
}

const run = {
  verify: async (tag = 't'): Promise<string[]> => {
    const { blobs } = await library.verify({ image: `${layout.path}:${tag}`, jobs: 0 })
    return blobs.flatMap(({ role, status, error }) =>
      error === undefined ? [] : [`${role} ${status} ${error.code}`]
    )
  },
  unpack: () =>
    codeOf(
      library.unpackRootfs({
        ...unpackOptions,
        image: `${layout.path}:t`,
        destination: `${work}/rootfs`,
        jobs: 0
      })
    ),
  /** The blobs that are not at the destination. */
  copy: async (): Promise<string[]> => {
    const { events, onEvent } = recorder()
    const names = { source: `${layout.path}:t`, destination: `${work}/copy:t` }
    await library.copy({ ...names, jobs: 0, onEvent })
    return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
  },
  garbage: async (): Promise<string[]> => {
    const { blobs } = await library.collectGarbage({ layout: layout.path, dryRun: true })
    return blobs.map(({ digest }) => digest)
  }
}

/** The only image of a layout, as `make` builds it. */
function tagged(make: () => Descriptor): Descriptor {
  const root = make()
  layout.tag({ t: root })
  return root
}

function sizeOf(digest: string): number {
  return readFileSync(layout.pathOf(digest as Descriptor['digest'])).length
}

function stored(digest: string): object {
  return parsed(layout.pathOf(digest as Descriptor['digest']))
}

function parsed(path: string): object {
  return JSON.parse(readFileSync(path, 'utf8')) as object
}

/** Everything in the layout belongs to what is tagged, and is in the copy, too. */
async function expectCopied(warnings: readonly string[] = []): Promise<void> {
  expect(await run.garbage()).toEqual([])
  expect(await run.copy()).toEqual(warnings)
  const copied = library.collectGarbage({ layout: `${work}/copy`, dryRun: true })
  expect((await copied).blobs).toEqual([])
  const blobs = (place: string): string[] => readdirSync(`${place}/blobs/sha256`).sort()
  expect(blobs(`${work}/copy`)).toEqual(blobs(layout.path))
}

describe('an image is whole, and can be unpacked and copied', () => {
  const same = (change: object) => (): Descriptor => imageWith(change)
  const inside = (change: object) => (): Descriptor => {
    const image = imageWith({})
    const document = stored(image.digest)
    rmSync(layout.pathOf(image.digest))
    return json({ ...document, ...change }, OCI_MANIFEST)
  }

  test.each<[string, () => Descriptor]>([
    ['buildx: with an attestation', () => attested(inDisguise('application/vnd.in-toto+json'))],
    [
      'buildx: with an attestation that is an artifact',
      () => {
        const statement = layout.blob('[]', 'application/vnd.in-toto+json')
        return attested(manifest(layout.blob('{}', EMPTY), [statement]))
      }
    ],
    ['kaniko, from scratch: no os', same({ os: '' })],
    ['rules_oci: no architecture', same({ architecture: undefined })],
    ['podman: an empty platform', same({ os: '', architecture: '' })],
    ['null for everything empty', same({ config: null, history: null, created: null })],
    ['a date that is not one', same({ created: '', history: [{ created: 'today' }] })],
    ['more history than layers', same({ history: [{}, {}, {}] })],
    ['a rootfs without type', same({ rootfs: { diff_ids: [digestOf(TAR)] } })],
    ['odd descriptions', same({ author: 1, config: { Labels: { a: 1 }, StopSignal: 9 } })],
    ['no layers and no rootfs', () => manifest(json(HERE, OCI_CONFIG), [])],
    ['a manifest without schema version', inside({ schemaVersion: undefined })],
    ['null for annotations', inside({ annotations: null, subject: null })],
    ['a type of Docker in a manifest of OCI', inside({ mediaType: DOCKER_MANIFEST })],
    [
      'an index without schema version',
      () => json({ manifests: [{ ...imageWith({}), platform: null }] }, OCI_INDEX)
    ]
  ])('%s', async (_, make) => {
    tagged(make)
    await expectCopied()
    expect(await run.verify()).toEqual([])
    expect(await run.unpack()).toBe('no failure')
  })
})

describe('an artifact is verified as bytes and copied', () => {
  const artifact = (configType: string, layerType: string) => (): Descriptor =>
    manifest(layout.blob('{}', configType), [layout.blob('no tar', layerType)])

  test.each<[string, () => Descriptor]>([
    ['an attestation of BuildKit', () => inDisguise('application/vnd.in-toto+json')],
    [
      'a signature of cosign',
      () => inDisguise('application/vnd.dev.cosign.simplesigning.v1+json', { os: '' })
    ],
    ['an attestation of cosign', () => inDisguise('application/vnd.dsse.envelope.v1+json', {})],
    [
      'a chart',
      artifact(
        'application/vnd.cncf.helm.config.v1+json',
        'application/vnd.cncf.helm.chart.content.v1.tar+gzip'
      )
    ],
    ['files of ORAS', artifact('application/vnd.unknown.config.v1+json', OCI_LAYER)],
    ['directories of ORAS', artifact(EMPTY, `${OCI_LAYER}+gzip`)],
    [
      'a module of WebAssembly',
      artifact('application/vnd.wasm.config.v0+json', 'application/wasm')
    ],
    ['a plug-in of Docker', artifact('application/vnd.docker.plugin.v1+json', `${OCI_LAYER}+gzip`)],
    [
      'a disk image of konflux-ci: no rootfs',
      () =>
        manifest(json({ os: 'linux', architecture: 'amd64' }, OCI_CONFIG), [
          layout.blob('disk', 'application/vnd.diskimage.raw+gzip')
        ])
    ],
    [
      'one whose config is not JSON',
      () => manifest(layout.blob('no JSON', OCI_CONFIG), [layout.blob('x', 'application/x')])
    ],
    [
      'one without layers',
      () => json({ schemaVersion: 2, config: layout.blob('{}', EMPTY) }, OCI_MANIFEST)
    ]
  ])('%s', async (_, make) => {
    tagged(make)
    await expectCopied()
    expect(await run.verify()).toEqual([])
    expect(await run.unpack()).toMatch(/^(?:MEDIA_TYPE_UNSUPPORTED|DOCUMENT_INVALID)$/)
  })
})

describe('what unpack refuses is not verified either', () => {
  const broken = (layer: Buffer) => (): Descriptor => imageWith({}, [layer])
  const withConfig = (config: object) => (): Descriptor => imageWith(config)

  test.each<[string, string[], string, () => Descriptor]>([
    [
      'a layer that is not a tar',
      ['layer damaged TAR_INVALID'],
      'TAR_INVALID',
      broken(Buffer.from('hello\n'))
    ],
    [
      'a compressed tar in a layer (raw add-layer once made such)',
      ['layer damaged TAR_INVALID'],
      'TAR_INVALID',
      broken(gzipSync(TAR))
    ],
    [
      'a name that is too long',
      ['layer damaged LIMIT_EXCEEDED'],
      'LIMIT_EXCEEDED',
      broken(tar(file('n'.repeat(256))))
    ],
    [
      'a hard link to nothing, in a lower layer or this one',
      ['manifest damaged ENTRY_INVALID'],
      'ENTRY_INVALID',
      () => imageWith({}, [TAR, tar(hardlink('link', 'nothing'))])
    ],
    [
      'an encrypted layer',
      ['other damaged MEDIA_TYPE_UNSUPPORTED'],
      'MEDIA_TYPE_UNSUPPORTED',
      () => {
        const layer = layout.blob('secret', `${OCI_LAYER}+gzip+encrypted`)
        const rootfs = { type: 'layers', diff_ids: [digestOf(TAR)] }
        return manifest(json({ ...HERE, rootfs }, OCI_CONFIG), [layer])
      }
    ],
    [
      'no rootfs',
      ['config damaged DOCUMENT_INVALID'],
      'DOCUMENT_INVALID',
      withConfig({ rootfs: undefined })
    ],
    [
      'another type of rootfs',
      ['config damaged DOCUMENT_INVALID'],
      'DOCUMENT_INVALID',
      withConfig({ rootfs: { type: 'layers+base', diff_ids: [digestOf(TAR)] } })
    ],
    [
      'a config that is not JSON',
      ['config damaged DOCUMENT_INVALID'],
      'DOCUMENT_INVALID',
      () => manifest(layout.blob('no JSON', OCI_CONFIG), [layout.blob(TAR, OCI_LAYER)])
    ]
  ])('%s', async (_, faults, code, make) => {
    tagged(make)
    expect(await run.verify()).toEqual(faults)
    expect(await run.unpack()).toBe(code)
    await expectCopied()
  })

  test.each<[string, object]>([
    ['DOCUMENT_INVALID', { User: 1000 }],
    ['DOCUMENT_INVALID', { Env: { A: 'b' } }],
    ['CONFIG_UNSUPPORTED', { Env: ['no equals sign'] }]
  ])('a config that no bundle can have: %s %j', async (code, config) => {
    tagged(withConfig({ config }))
    expect(await run.verify()).toEqual([`config damaged ${code}`])
    const options = { image: `${layout.path}:t`, destination: `${work}/bundle`, jobs: 0 }
    expect(await codeOf(library.unpack({ ...options, ...unpackOptions }))).toBe(code)
    expect(await run.unpack()).toBe('no failure')
  })

  test('that is not asked of an image for another system', async () => {
    tagged(withConfig({ os: 'windows', config: { User: 1, Env: ['x'] } }))
    expect(await run.verify()).toEqual([])
  })

  test.each(['entries', 'unpackedBytes', 'pathBytes'] as const)('the limit %s', async (limit) => {
    tagged(() => imageWith({}, [TAR, tar(file('other'))]))
    const image = `${layout.path}:t`
    const options = { image, jobs: 0, limits: { [limit]: limit === 'unpackedBytes' ? 3000 : 1 } }
    const { ok, blobs } = await library.verify(options)
    expect(ok).toBe(false)
    expect(blobs.map(({ error }) => error?.code)).toContain('LIMIT_EXCEEDED')
    const destination = `${work}/rootfs`
    expect(await codeOf(library.unpackRootfs({ ...options, ...unpackOptions, destination }))).toBe(
      'LIMIT_EXCEEDED'
    )
  })
})

describe('an entry of an index that nobody knows', () => {
  const ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json'

  test.each<[string, string, (blob: Descriptor, image: Descriptor) => object]>([
    [
      "OCI's former artifact manifest",
      ARTIFACT,
      (blob, subject) => ({ mediaType: ARTIFACT, artifactType: 'x/scan', blobs: [blob], subject })
    ],
    [
      "Docker's schema 1, signed",
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      ({ digest }) => ({ schemaVersion: 1, fsLayers: [{ blobSum: digest }], history: [] })
    ],
    [
      "Docker's schema 1",
      'application/vnd.docker.distribution.manifest.v1+json',
      ({ digest }) => ({ schemaVersion: 1, fsLayers: [{ blobSum: digest }], history: [] })
    ],
    ['one without type', '', ({ digest }) => ({ any: [{ thing: digest }] })]
  ])('is kept and copied with all that it mentions: %s', async (_, mediaType, document) => {
    const image = imageWith({})
    const blob = layout.blob('scan', 'text/plain')
    tagged(() =>
      layout.index([{ ...image, platform: HERE }, json(document(blob, image), mediaType)])
    )
    await expectCopied()
    expect(await run.verify()).toEqual([])
    expect(await run.unpack()).toBe('no failure')
    writeFileSync(layout.pathOf(blob.digest), 'scam')
    expect(await run.verify()).toEqual(['other damaged BLOB_DIGEST_MISMATCH'])
  })

  test('is left out of a copy where it is missing', async () => {
    const gone = json({}, ARTIFACT)
    tagged(() => layout.index([imageWith({}), gone]))
    rmSync(layout.pathOf(gone.digest))
    await expectCopied(['A part of the image is missing and was not copied.'])
    expect(await run.verify()).toEqual(['other absent BLOB_NOT_FOUND'])
  })

  test.each<[string, object]>([
    ['a digest that is none', { mediaType: OCI_MANIFEST, digest: 'sha256:no', size: 5 }],
    ['no digest', { mediaType: OCI_MANIFEST, size: 5 }],
    ['nothing', {}]
  ])("stands in nobody's way: %s", async (_, odd) => {
    const image = imageWith({})
    const entry = { ...image, annotations: { [REF_NAME]: 't' } }
    const manifests = [odd, { ...odd, annotations: { [REF_NAME]: 'odd' } }, entry]
    writeFileSync(`${layout.path}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }))
    expect(await library.listLayout({ layout: layout.path })).toEqual(['t'])
    const listed = await library.listImages({ layout: layout.path })
    expect(listed.map(({ error }) => error !== undefined)).toEqual([false])
    await expectCopied(['2 entries of the index are not valid and are ignored.'])
    expect(await run.verify()).toEqual([])
    expect(await run.unpack()).toBe('no failure')
    expect(await codeOf(library.statImage({ image: `${layout.path}:odd` }))).toBe('TAG_NOT_FOUND')
    const { ok } = await library.verify({ layout: layout.path, jobs: 0 })
    expect(ok).toBe(true)
  })

  test.each<[string, (digest: string) => object]>([
    ['a space behind the digest', (digest) => ({ mediaType: OCI_MANIFEST, digest: `${digest} ` })],
    ['a digest in upper case', (digest) => ({ digest: digest.toUpperCase() })],
    ['the type of a config', (digest) => ({ mediaType: OCI_CONFIG, digest, size: sizeOf(digest) })],
    ['the type of a layer', (digest) => ({ mediaType: OCI_LAYER, digest, size: sizeOf(digest) })]
  ])('keeps an image from a garbage collection: %s', async (_, entryOf) => {
    const { digest } = imageWith({})
    writeFileSync(`${layout.path}/index.json`, JSON.stringify({ manifests: [entryOf(digest)] }))
    expect(await run.garbage()).toEqual([])
  })

  test('keeps what it may lead to from a garbage collection', async () => {
    const { digest } = imageWith({})
    const odd = { mediaType: OCI_MANIFEST, digest, size: 'many' }
    writeFileSync(`${layout.path}/index.json`, JSON.stringify({ manifests: [odd] }))
    expect(await run.garbage()).toEqual([])
    writeFileSync(layout.pathOf(digest), 'damaged')
    expect(await codeOf(run.garbage())).toMatch(/^(?:BLOB|DOCUMENT)_/)
  })
})

describe('what is written is valid', () => {
  const change = (changes: object): Promise<{ manifestDigest: string }> =>
    library.configureImage({ image: `${layout.path}:t`, changes, onEvent: heard.onEvent })
  const configOf = (manifestDigest: string): object => {
    const { config } = stored(manifestDigest) as { config: Descriptor }
    return stored(config.digest)
  }
  let heard = recorder()
  beforeEach(() => {
    heard = recorder()
  })
  const warnings = (): string[] =>
    heard.events.flatMap((event) =>
      event.type === 'warning' ? [String(event.facts.pointer ?? event.facts.platform)] : []
    )

  test('config mends an image without architecture', async () => {
    tagged(() => imageWith({ architecture: undefined }))
    const { manifestDigest } = await change({ architecture: 'riscv64' })
    expect(configOf(manifestDigest)).toMatchObject({ os: HERE.os, architecture: 'riscv64' })
    expect(warnings()).toEqual([])
  })

  test.each([
    { os: '', architecture: undefined },
    { os: '', architecture: HERE.architecture },
    { os: undefined },
    { architecture: '' }
  ])('any other change names the platform that the image was used for: %j', async (lacking) => {
    tagged(() => imageWith(lacking))
    const { manifestDigest } = await change({ author: 'me' })
    expect(configOf(manifestDigest)).toMatchObject({ ...HERE, author: 'me' })
    expect(warnings()).toEqual([`${HERE.os}/${HERE.architecture}`])
  })

  test('or the one that an index gives', async () => {
    const platform = { os: 'linux', architecture: 'arm', variant: 'v6' }
    tagged(() => layout.index([{ ...imageWith({ architecture: undefined }), platform }]))
    const { manifestDigest } = await library.configureImage({
      image: `${layout.path}:t`,
      platform: 'linux/arm/v6',
      changes: { author: 'me' },
      onEvent: heard.onEvent
    })
    expect(configOf(manifestDigest)).toMatchObject(platform)
    expect(warnings()).toEqual([])
  })

  test('fields that cannot be right are left out, and told', async () => {
    tagged(() =>
      imageWith({ created: 'today', author: 5, config: { User: 7, Cmd: 'sh', X: 1 }, y: null })
    )
    const { manifestDigest } = await change({ author: 'me' })
    const config = configOf(manifestDigest)
    expect(config).toMatchObject({ author: 'me', config: { Cmd: ['sh'], X: 1 }, y: null })
    expect(config).not.toHaveProperty('created')
    expect(config).not.toHaveProperty('config.User')
    expect(warnings()).toEqual(['/created', '/author', '/config/User'])
  })

  test('an attestation does not outlive its image', async () => {
    const root = tagged(() => attested(inDisguise('application/vnd.in-toto+json')))
    const [, attestation] = (stored(root.digest) as ImageIndex).manifests
    const options = { image: `${layout.path}:t`, changes: { author: 'me' }, onEvent: heard.onEvent }
    await library.configureImage({ ...options, tag: 'new' })
    expect(
      heard.events.flatMap((event) => (event.type === 'warning' ? [event.facts] : []))
    ).toEqual([{ file: attestation!.digest }])
    expect(await run.verify('new')).toEqual([])
    expect(await run.garbage()).toEqual([])
    await library.removeTag({ image: `${layout.path}:t` })
    expect(await run.garbage()).toContain(attestation!.digest)
  })

  test('a manifest and an index get what is required of them', async () => {
    const image = imageWith({})
    const bare = json({ ...stored(image.digest), schemaVersion: undefined }, OCI_MANIFEST)
    tagged(() => json({ manifests: [{ ...bare, platform: HERE }] }, OCI_INDEX))
    const { manifestDigest } = await change({ author: 'me' })
    const { manifests } = parsed(`${layout.path}/index.json`) as ImageIndex
    expect(stored(manifests[0]!.digest)).toMatchObject({ schemaVersion: 2 })
    expect(stored(manifestDigest)).toMatchObject({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST
    })
  })
})
