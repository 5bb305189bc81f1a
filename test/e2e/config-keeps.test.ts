/** `config` on images that umoci 0.4.7 damages or refuses: what they hold stays. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configureImage } from '../../src/index.ts'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage, type ResolvedImage } from '../../src/store/resolve.ts'
import { blobPath, buildImage, sha256, type Descriptor } from '../support/image-builder.ts'
import { expectOk, run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const BIG = '9223372036854775807'
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
const INDEX = 'application/vnd.oci.image.index.v1+json'

let layout: string
beforeEach(() => {
  layout = `${makeTemporary()}/layout`
})
afterEach(() => removeTemporary(layout.replace(/layout$/, '')))

function config(...flags: string[]): ResolvedImage {
  ociUnpackOk('config', '--image', `${layout}:latest`, '--tag=new', ...flags)
  return image('new')
}

function image(tag: string, platform?: { os: string; architecture: string }): ResolvedImage {
  return resolveImage(openLayout(layout), tag, platform)
}

describe('config keeps', () => {
  test('a Docker image a Docker image, with the fields of Docker', () => {
    const built = buildImage(layout, { layers: [{ tar: tar(file('x')), mediaType: DOCKER_LAYER }] })
    const inner = text(blobPath(layout, built.config))
    const rich = inner.replace('"config":{}', `"config":{"OnBuild":["x"]},"docker":${BIG}`)
    const dockerConfig = store(DOCKER_CONFIG, rich)
    const manifest = {
      schemaVersion: 2,
      mediaType: DOCKER,
      config: dockerConfig,
      layers: built.layers
    }
    tag(store(DOCKER, JSON.stringify(manifest)))

    const { descriptorPath, manifest: found, rawConfig } = config('--config.user=u')
    expect(descriptorPath[0].mediaType).toBe(DOCKER)
    expect(found).toMatchObject({ mediaType: DOCKER, layers: built.layers })
    expect(found.config.mediaType).toBe(DOCKER_CONFIG)
    expect(rawConfig.toString()).toContain('"config":{"User":"u","OnBuild":["x"]}')
    expect(rawConfig.toString()).toContain(`"docker":${BIG}`)
  })

  test('indexes above the image, whose platform follows it', () => {
    const built = buildImage(layout, { layers: [tar(file('x'))] })
    const [amd, arm] = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }))
    const other = {
      ...store(built.manifest.mediaType, text(blobPath(layout, built.manifest)) + '\n')
    }
    const inner = `{"schemaVersion":2,"x":${BIG},"manifests":${JSON.stringify([
      { ...other, platform: arm },
      { ...built.manifest, platform: { ...amd, 'os.features': ['kept'] }, note: 'kept' }
    ])}}`
    tag(store(INDEX, `{"schemaVersion":2,"manifests":[${JSON.stringify(store(INDEX, inner))}]}`))

    const flags = ['--platform=linux/amd64', '--platform.arch=riscv64', '--platform.variant=v9']
    ociUnpackOk('config', '--image', `${layout}:latest`, '--tag=new', ...flags)
    const { descriptorPath, config: found } = image('new', { os: 'linux', architecture: 'riscv64' })
    expect(descriptorPath).toHaveLength(3)
    expect(descriptorPath[2]).toMatchObject({
      platform: { os: 'linux', architecture: 'riscv64', variant: 'v9', 'os.features': ['kept'] },
      note: 'kept'
    })
    expect(found).toMatchObject({ architecture: 'riscv64', variant: 'v9' })
    expect(text(blobPath(layout, descriptorPath[1]!))).toContain(`"x":${BIG}`)
    expect(image('new', arm).descriptorPath[2]!.digest).toBe(other.digest)
    expect(image('latest', amd).config.architecture).not.toBe('riscv64')
  })

  test('an image without a date an image without a date, and its variant', () => {
    buildImage(layout, { layers: [], config: { created: null, variant: 'v8' } })
    const { config: found } = config('--platform.os.version=1.2')
    expect(found).not.toHaveProperty('created')
    expect(found).toMatchObject({ variant: 'v8', 'os.version': '1.2' })
  })

  test('the image itself where nothing is to change', () => {
    buildImage(layout, { layers: [tar(file('x'))] })
    const { descriptorPath } = config('--no-history')
    expect(descriptorPath[0].digest).toBe(image('latest').descriptorPath[0].digest)
  })

  test('arguments that are empty, wherever they stand', () => {
    buildImage(layout, { layers: [] })
    const cmd = ['--config.cmd=', '--config.cmd', 'a', '--config.cmd', '', '--config.cmd=b']
    expect(config(...cmd).config.config).toEqual({ Cmd: ['', 'a', '', 'b'] })
  })
})

describe('config', () => {
  beforeEach(() => {
    buildImage(layout, { layers: [tar(file('x'))] })
  })

  test('notes itself in the history, at the time of SOURCE_DATE_EPOCH', () => {
    const command = [...ociUnpackCommand, 'config', '--image', `${layout}:latest`, '--author=B']
    expectOk(run('env', 'SOURCE_DATE_EPOCH=-1', ...command), 'config')
    const created = '1969-12-31T23:59:59Z'
    const entry = { created, created_by: 'oci-unpack config', author: 'B', empty_layer: true }
    expect(image('latest').config.history).toEqual([entry])
    for (const epoch of ['yesterday', '1.5', '99999999999999'])
      expect(run('env', `SOURCE_DATE_EPOCH=${epoch}`, ...command)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('USAGE') as string
      })
  })

  test('needs no compressor for an image whose layers are packed', () => {
    const [node, main] = ociUnpackCommand
    const args = [main, 'config', '--image', `${layout}:latest`]
    expectOk(run('env', '-i', 'PATH=/nowhere', node, ...args), 'config')
  })

  test.each([
    ['an empty os', '--os='],
    ['an empty architecture', '--architecture='],
    ['an empty port', '--config.exposedports='],
    ['an empty volume', '--config.volume='],
    ['an annotation without a value', '--manifest.annotation=a'],
    ['an annotation without a name', '--manifest.annotation==a'],
    ['two names of one flag', '--os=a', '--platform.os=b'],
    ['an unknown platform', '--platform=plan9/mips', '--author=x']
  ])('refuses %s, and changes nothing', (_name, ...flags) => {
    const before = fs.readFileSync(`${layout}/index.json`)
    const { status, stderr } = ociUnpack('config', '--image', `${layout}:latest`, ...flags)
    expect(stderr).toMatch(/\[(?:USAGE|PLATFORM_NOT_FOUND)\]/)
    expect(status).toBe(1)
    expect(fs.readFileSync(`${layout}/index.json`)).toEqual(before)
    expect(fs.readdirSync(layout)).toEqual(['blobs', 'index.json', 'oci-layout'])
  })

  test('is a function of the library, and gives the new digest', async () => {
    const { manifestDigest, layer } = await configureImage({
      image: `${layout}:latest`,
      changes: { labels: { a: 'b' } },
      history: false
    })
    expect(layer).toBeUndefined()
    expect(image('latest').descriptorPath[0].digest).toBe(manifestDigest)
    expect(image('latest').config).toMatchObject({ config: { Labels: { a: 'b' } } })
  })
})

function text(path: string): string {
  return fs.readFileSync(path, 'utf8')
}

function store(mediaType: string, content: string): Descriptor {
  const bytes = Buffer.from(content)
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
  fs.writeFileSync(blobPath(layout, descriptor), bytes)
  return descriptor
}

function tag(descriptor: Descriptor): void {
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  const manifests = [{ ...descriptor, annotations }]
  fs.writeFileSync(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }))
}
