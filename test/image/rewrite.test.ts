import { describe, expect, test } from 'vitest'
import { target, type DescriptorPath } from '../../src/image/choice.ts'
import { digestOf, parseDigest } from '../../src/image/digest.ts'
import { parseConfig, parseIndex, parseManifest } from '../../src/image/documents.ts'
import { layerMediaType, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { layerDescriptor, rewriteImage } from '../../src/image/rewrite.ts'
import type { ImageDocuments, RewrittenImage } from '../../src/image/rewrite.ts'
import { configBytes, indexBytes, manifestBytes } from '../../src/image/serialise.ts'
import { withTag } from '../../src/image/tags.ts'
import type { Descriptor, ImageConfig, ImageManifest } from '../../src/image/types.ts'

const LAYER = layerDescriptor(
  layerMediaType('gzip'),
  {
    digest: parseDigest('sha256:e7013826daf8b5d68f82c5b790ca5e9de222a834f2cb3fe3532030161bd72083'),
    size: 335
  },
  7680
)
const DIFF_ID = parseDigest(
  'sha256:b30a031a2b1c4616735cf8dd5d08ddebcbbff91e1d6b9fc740a2fec18af57b27'
)

function descriptorOf(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

function newImage(): ImageDocuments {
  const config = {
    created: '2026-01-01T00:00:00Z',
    architecture: 'arm64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers' as const, diff_ids: [] }
  }
  const manifest: ImageManifest = {
    schemaVersion: 2,
    config: descriptorOf(configBytes(config), OCI_CONFIG),
    layers: []
  }
  const descriptorPath: DescriptorPath = [descriptorOf(manifestBytes(manifest), OCI_MANIFEST)]
  return { descriptorPath, indexes: [], manifest, config }
}

/** The documents that a rewrite leaves behind, as the next one starts from them. */
function again({ descriptorPath, manifest, config }: RewrittenImage): ImageDocuments {
  return { descriptorPath, indexes: [], manifest, config }
}

describe("umoci's regression recipe", () => {
  const time = '1997-03-25T13:40:00+01:00'

  test('ends in the same config, manifest and index, byte for byte', () => {
    const repacked = rewriteImage(newImage(), {
      layer: { descriptor: LAYER, diffId: DIFF_ID },
      history: { created: time, created_by: 'umoci repack' }
    })
    const image = rewriteImage(again(repacked), {
      history: { created: time, created_by: 'umoci config' },
      config: (config) => ({
        ...config,
        created: time,
        architecture: 'amd64',
        os: 'linux',
        config: { ...config.config, User: '1000:100', Cmd: ['/bin/sh'] }
      })
    })
    const [config, manifest] = image.blobs
    expect(config!.bytes.length).toBe(404)
    expect(config!.digest).toBe(
      'sha256:f4a39a97d97aa834da7ad2d92940f9636a57e3d9b3cc7c53242451b02a6cea89'
    )
    expect(manifest!.digest).toBe(
      'sha256:27bcd3b4f31740cc087346382aaba3fe1c01872d75ead1bd2b9f7053d2bb3231'
    )
    const index = withTag({ schemaVersion: 2, manifests: [] }, 'latest', image.descriptorPath[0])
    expect(digestOf(indexBytes(index))).toBe(
      'sha256:b780d08bfed4850ab807b7c308682fae6868ed9c09c0c842063c418ebe2a19fb'
    )
  })
})

describe('rewriteImage', () => {
  const big = 9223372036854775807n

  /** index → index → manifest, with unknown fields, embedded data and a sibling at each level. */
  function nested(): ImageDocuments {
    const config = parseConfig(
      Buffer.from(
        `{"os":"linux","architecture":"arm","variant":"v7","x":${big},"config":{"Healthcheck":{"Interval":${big}},"Labels":{"b":"","a":""}},"rootfs":{"type":"layers","diff_ids":[]}}`
      ),
      { file: 'config' }
    )
    const manifest = parseManifest(
      Buffer.from(
        `{"schemaVersion":2,"x":${big},"config":${json(config, configBytes(config), OCI_CONFIG)},"layers":[],"annotations":{"k":"v"}}`
      ),
      { file: 'manifest' }
    )
    const leaf = json(manifest, manifestBytes(manifest), OCI_MANIFEST)
    const sibling = JSON.stringify(descriptorOf(Buffer.from('sibling'), OCI_MANIFEST))
    const inner = parseIndex(
      Buffer.from(`{"schemaVersion":2,"y":${big},"manifests":[${sibling},${leaf},${leaf}]}`),
      { file: 'inner' }
    )
    const middle = json(inner, indexBytes(inner), OCI_INDEX)
    const outer = parseIndex(
      Buffer.from(`{"schemaVersion":2,"manifests":[${middle},${sibling}]}`),
      {
        file: 'outer'
      }
    )
    const root = { ...descriptorOf(indexBytes(outer), OCI_INDEX), annotations: { root: 'kept' } }
    return {
      descriptorPath: [root, outer.manifests[0]!, inner.manifests[1]!],
      indexes: [outer, inner],
      manifest,
      config
    }
  }

  function json(_value: unknown, bytes: Buffer, mediaType: string): string {
    const { digest, size } = descriptorOf(bytes, mediaType)
    const data = bytes.toString('base64')
    return `{"mediaType":"${mediaType}","digest":"${digest}","size":${size},"data":"${data}","z":${big},"platform":{"os":"linux","architecture":"arm"}}`
  }

  const image = nested()
  const result = rewriteImage(image, {
    layer: { descriptor: LAYER, diffId: DIFF_ID },
    history: { created_by: 'test' }
  })
  const stored = new Map(result.blobs.map(({ digest, bytes }) => [digest as string, bytes]))
  const bytesOf = ({ digest }: Descriptor): Buffer => stored.get(digest)!

  test('stores config, manifest and every index above, innermost first', () => {
    const digests = result.blobs.map(({ digest }) => digest)
    expect(digests).toEqual([
      result.manifest.config.digest,
      ...result.descriptorPath.toReversed().map(({ digest }) => digest)
    ])
  })

  test('leads from the new root down to the new manifest and config', () => {
    const [root, middle, leaf] = result.descriptorPath as [Descriptor, Descriptor, Descriptor]
    const outer = parseIndex(bytesOf(root), { file: '' })
    expect(outer.manifests).toEqual([middle, image.indexes[0]!.manifests[1]])
    const inner = parseIndex(bytesOf(middle), { file: '' })
    expect(inner.manifests).toEqual([image.indexes[1]!.manifests[0], leaf, leaf])
    const manifest = parseManifest(bytesOf(leaf), { file: '' })
    expect(manifest.layers).toEqual([LAYER])
    expect(parseConfig(bytesOf(manifest.config), { file: '' }).rootfs.diff_ids).toEqual([DIFF_ID])
  })

  test('gives every new descriptor the size and the embedded data of the new bytes', () => {
    for (const descriptor of [...result.descriptorPath.slice(1), result.manifest.config]) {
      expect(descriptor.size).toBe(bytesOf(descriptor).length)
      expect(Buffer.from(descriptor.data!, 'base64')).toEqual(bytesOf(descriptor))
    }
    expect(result.descriptorPath[0]).not.toHaveProperty('data')
  })

  test('keeps unknown fields, int64s, variant, platforms and annotations at every level', () => {
    const [root, middle, leaf] = result.descriptorPath as [Descriptor, Descriptor, Descriptor]
    expect(root.annotations).toEqual({ root: 'kept' })
    expect(middle).toMatchObject({ z: big, platform: { architecture: 'arm' } })
    expect(leaf).toMatchObject({ z: big, platform: { architecture: 'arm' } })
    expect(bytesOf(middle).toString()).toContain(`"y":${big}`)
    expect(parseManifest(bytesOf(leaf), { file: '' })).toMatchObject({
      x: big,
      annotations: { k: 'v' },
      config: { z: big }
    })
    expect(parseConfig(bytesOf(result.manifest.config), { file: '' })).toMatchObject({
      x: big,
      variant: 'v7',
      config: { Healthcheck: { Interval: big } }
    })
  })

  test('changes the platform wherever a descriptor of the image has one', () => {
    const { descriptorPath, blobs } = rewriteImage(image, {
      platform: (platform) => ({ ...platform, variant: 'v6' })
    })
    const inner = blobs.find(({ digest }) => digest === descriptorPath[1]!.digest)!
    const platforms = parseIndex(inner.bytes, { file: '' }).manifests.map(
      ({ platform }) => platform
    )
    const changed = { os: 'linux', architecture: 'arm', variant: 'v6' }
    expect(platforms).toEqual([undefined, changed, changed])
    expect(descriptorPath.map(({ platform }) => platform)).toEqual([
      undefined,
      image.descriptorPath[1]!.platform,
      changed
    ])
  })

  test('notes in the history whether there is a layer', () => {
    expect(result.config.history).toEqual([{ created_by: 'test' }])
    const empty = rewriteImage(image, { history: { created_by: 'test' } })
    expect(empty.config.history).toEqual([{ created_by: 'test', empty_layer: true }])
    expect(rewriteImage(image, {}).config).not.toHaveProperty('history')
  })

  test('invents no date for an image that has none', () => {
    expect(result.config).not.toHaveProperty('created')
  })

  test('writes nothing new where nothing changes', () => {
    const once = rewriteImage(image, {})
    const twice = rewriteImage(
      { ...again(once), descriptorPath: [once.descriptorPath.at(-1)!] },
      {}
    )
    expect(twice.blobs).toEqual(once.blobs.slice(0, 2))
  })
})

describe('layerDescriptor', () => {
  test('notes the size before compression only where it differs', () => {
    const blob = { digest: DIFF_ID, size: 10 }
    expect(layerDescriptor('a/b', blob, 10)).toEqual({ mediaType: 'a/b', ...blob })
    expect(layerDescriptor('a/b', blob, 11).annotations).toEqual({
      'ci.umo.uncompressed_blob_size': '11'
    })
  })
})

describe('an attestation in the index of a changed image', () => {
  const ATTESTED = 'vnd.docker.reference.digest'

  /** Two images, each with an attestation; the first image is the one to change. */
  function attested(): ImageDocuments {
    const image = newImage()
    const document = { ...image.manifest, mediaType: OCI_MANIFEST }
    const manifest = descriptorOf(manifestBytes(document), OCI_MANIFEST)
    const other = descriptorOf(Buffer.from('other'), OCI_MANIFEST)
    const attestation = (of: Descriptor): Descriptor => ({
      ...descriptorOf(Buffer.from(`about ${of.digest}`), OCI_MANIFEST),
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest', [ATTESTED]: of.digest }
    })
    const manifests = [manifest, attestation(manifest), other, attestation(other)]
    const index = { schemaVersion: 2, manifests } as const
    const root = descriptorOf(indexBytes(index), OCI_INDEX)
    return {
      ...image,
      manifest: document,
      descriptorPath: [root, manifest],
      indexes: [index]
    }
  }

  test('is left out, and named; those of other images stay', () => {
    const before = attested()
    const [old, outdated, other, valid] = before.indexes[0]!.manifests
    const { blobs, descriptorPath, dropped } = rewriteImage(before, { config: changeAuthor })
    const { manifests } = parseIndex(blobs.at(-1)!.bytes, { file: 'index' })
    expect(manifests).toEqual([target(descriptorPath), other, valid])
    expect(target(descriptorPath).digest).not.toBe(old!.digest)
    expect(dropped).toEqual([outdated!.digest])
  })

  test('stays with an image that did not change', () => {
    const before = attested()
    const same = rewriteImage(before, { config: (config) => config })
    const { manifests } = parseIndex(same.blobs.at(-1)!.bytes, { file: 'index' })
    expect(manifests).toEqual(before.indexes[0]!.manifests)
    expect(same.dropped).toEqual([])
  })

  const changeAuthor = (config: ImageConfig): ImageConfig => ({ ...config, author: 'me' })
})
