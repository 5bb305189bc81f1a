/** Which image of an index every command works on, for the indexes that tools write. The right one says `right`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { CONFIG, IndexBuilder, tagged, type Entry } from '../support/index-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

const ZSTD = { 'io.github.containers.compression.zstd': 'true' }
const platform = 'linux/amd64'

let work: string
let built: IndexBuilder
let layout: string
beforeEach(() => {
  work = makeTemporary()
  layout = `${work}/layout`
  built = new IndexBuilder(layout)
})
afterEach(() => removeTemporary(work))

interface Shape {
  index: (it: IndexBuilder) => Entry
}

const SHAPES: readonly (readonly [string, Shape['index']])[] = [
  [
    'podman manifest push --add-compression',
    (it) =>
      it.index(
        it.imageFor('amd64', 'right'),
        it.imageFor('arm64'),
        { ...it.imageFor('amd64', 'zstd'), annotations: ZSTD },
        { ...it.imageFor('arm64', 'arm64 zstd'), annotations: ZSTD }
      )
  ],
  [
    'docker buildx build',
    (it) => {
      const image = it.imageFor('amd64', 'right')
      return it.index(it.attestation(image), image, it.imageFor('arm64'))
    }
  ],
  ['no platform', (it) => it.index(it.image('right'))],
  [
    'no platforms, and an SBOM that says so',
    (it) =>
      it.index(
        { ...it.artifact(), artifactType: 'application/spdx+json' },
        it.image('right'),
        it.image('second')
      )
  ],
  [
    'no platforms, and an SBOM that only its manifest knows',
    (it) => it.index(it.artifact({ artifactType: 'application/spdx+json' }), it.image('right'))
  ],
  [
    'no platforms, and a Helm chart',
    (it) => {
      const config = it.json('application/vnd.cncf.helm.config.v1+json', {})
      return it.index(it.artifact({ config }), it.image('right'))
    }
  ],
  [
    'no platforms, which the configs know',
    (it) => it.index(it.image('arm', 'arm64'), it.image('right'), it.image('second'))
  ],
  [
    'empty platforms',
    (it) => {
      const none = { os: '', architecture: '' }
      const arm = { ...it.image('arm', 'arm64'), platform: none }
      return it.index(arm, { ...it.image('right'), platform: none })
    }
  ],
  [
    'the artifact type of images',
    (it) => {
      const artifactType = CONFIG
      const arm = { ...it.imageFor('arm64'), artifactType }
      return it.index(arm, { ...it.imageFor('amd64', 'right'), artifactType })
    }
  ],
  [
    'indexes in an index',
    (it) => it.index(it.index(it.imageFor('arm64')), it.index(it.imageFor('amd64', 'right')))
  ],
  [
    'types that nobody knows',
    (it) =>
      it.index(
        { ...it.artifact(), mediaType: 'application/vnd.oci.artifact.manifest.v1+json' },
        it.imageFor('amd64', 'right')
      )
  ],
  [
    'entries that are not valid',
    (it) =>
      it.index(null, { ...it.imageFor('amd64', 'x'), size: -1 }, it.imageFor('amd64', 'right'))
  ],
  [
    'images that are not there',
    (it) => {
      const digest = `sha256:${'0'.repeat(64)}`
      const absent = { ...it.image('absent'), digest }
      return it.index(
        absent,
        { ...absent, platform: { os: 'plan9', architecture: 'mips' } },
        it.image('right')
      )
    }
  ]
]

/** The command of the image with a tag. */
async function commandOf(tag: string): Promise<unknown> {
  const stat = await library.statImage({ image: `${layout}:${tag}`, platform })
  return stat.kind === 'image' ? stat.image.config?.content?.config?.Cmd : undefined
}

async function layersOf(tag: string): Promise<number> {
  const stat = await library.statImage({ image: `${layout}:${tag}`, platform })
  return stat.kind === 'image' ? stat.image.manifest.content.layers.length : 0
}

function runs(config: string): unknown {
  return (JSON.parse(readFileSync(config, 'utf8')) as { process: { args: unknown } }).process.args
}

describe.each(SHAPES)('%s', (_name, make) => {
  beforeEach(() => built.write(tagged(make(built), 't')))
  const reading = () => ({ image: `${layout}:t`, platform, jobs: 0 })

  test('is read in the same way by all commands', async () => {
    expect(await commandOf('t')).toEqual(['right'])
    const { manifestDigest } = await library.unpack({
      ...reading(),
      ...unpackOptions,
      destination: `${work}/bundle`
    })
    expect(runs(`${work}/bundle/config.json`)).toEqual(['right'])
    const root = await library.unpackRootfs({
      ...reading(),
      ...unpackOptions,
      destination: `${work}/root`
    })
    expect(root.manifestDigest).toBe(manifestDigest)
    expect((await library.listFiles(reading())).manifestDigest).toBe(manifestDigest)
    await library.writeRuntimeConfig({ image: `${layout}:t`, platform, file: `${work}/config` })
    expect(runs(`${work}/config`)).toEqual(['right'])
    const copied = await library.copy({
      source: `${layout}:t`,
      destination: `${work}/copy:t`,
      platform
    })
    expect(copied.digest).toBe(manifestDigest)
    await library.tagImage({ image: `${layout}:t`, tag: 'alone', platform })
    expect(await commandOf('alone')).toEqual(['right'])
  })

  test('is changed in the same way by all commands', async () => {
    const options = { image: `${layout}:t`, platform, jobs: 0 }
    const changes = { author: 'me' }
    await library.configureImage({ image: `${layout}:t`, platform, tag: 'config', changes })
    writeFileSync(`${work}/x.tar`, tar(file('x')))
    await library.insert({ ...options, tag: 'insert', source: `${work}/x.tar`, target: '/x' })
    await library.addLayerArchive({ ...options, tag: 'add-layer', archive: `${work}/x.tar` })
    await library.unpack({ ...options, ...unpackOptions, destination: `${work}/bundle` })
    writeFileSync(`${work}/bundle/rootfs/new`, 'new')
    await library.repack({ image: `${layout}:repack`, bundle: `${work}/bundle`, jobs: 0 })
    for (const tag of ['config', 'insert', 'add-layer', 'repack'])
      expect(await commandOf(tag), tag).toEqual(['right'])
    for (const tag of ['insert', 'add-layer', 'repack']) expect(await layersOf(tag), tag).toBe(2)
    expect(await layersOf('config')).toBe(1)
  })
})

describe('the index of an image that is changed', () => {
  /** The commands of what is in the index. */
  async function commands(): Promise<unknown[]> {
    const stat = await library.statImage({ image: `${layout}:t` })
    if (stat.kind === 'image') throw new Error('not an index')
    return stat.images.map(({ image }) => image?.config?.content?.config?.Cmd?.[0])
  }

  const change = async (): Promise<unknown> =>
    library.configureImage({
      image: `${layout}:t`,
      platform,
      changes: { cmd: ['changed'] }
    })

  test('keeps the other platforms, and other images for the same one', async () => {
    built.write(
      tagged(
        built.index(
          built.imageFor('amd64', 'first'),
          built.imageFor('amd64', 'second'),
          built.imageFor('arm64')
        ),
        't'
      )
    )
    await change()
    expect(await commands()).toEqual(['changed', 'second', 'arm64'])
  })

  test('loses the same image in another compression, which podman would prefer', async () => {
    built.write(
      tagged(
        built.index(
          built.imageFor('amd64', 'gzip'),
          { ...built.imageFor('amd64', 'zstd'), annotations: ZSTD },
          { ...built.imageFor('arm64', 'arm64 zstd'), annotations: ZSTD },
          built.imageFor('arm64')
        ),
        't'
      )
    )
    await change()
    expect(await commands()).toEqual(['changed', 'arm64 zstd', 'arm64'])
  })

  test('loses what BuildKit attested of the old image, and nothing else', async () => {
    const [amd, arm] = [built.imageFor('amd64'), built.imageFor('arm64')]
    built.write(tagged(built.index(amd, arm, built.attestation(amd), built.attestation(arm)), 't'))
    await change()
    const stat = await library.statImage({ image: `${layout}:t` })
    if (stat.kind === 'image') throw new Error('not an index')
    const path = `${layout}/blobs/${stat.descriptor.digest.replace(':', '/')}`
    const { manifests } = JSON.parse(readFileSync(path, 'utf8')) as { manifests: Entry[] }
    expect(
      manifests.map(({ annotations = {} }) => annotations['vnd.docker.reference.digest'])
    ).toEqual([undefined, undefined, arm.digest])
  })
})
