/** Images that buildah and skopeo made, and what they refer to, go through every command that reads. */
import * as fs from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { blobPath, sha256, type Descriptor } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { documents } from './both-programs.ts'
import { ociUnpackOk } from './cli.ts'

const addDocker = new URL('../images/add-docker.mjs', import.meta.url).pathname
const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const REF = 'org.opencontainers.image.ref.name'

/** Images for one platform, and those of which one has to be chosen. */
const SINGLE = ['oci', 'zstd', 'docker', 'built-as-docker'] as const
const MULTIPLE = ['multi', 'nested', 'docker-list'] as const
const AMD64 = ['--platform', 'linux/amd64']
const ARM64 = ['--platform', 'linux/arm64']

/** buildah packs no entry of the root. */
const ROOT = ['.:mtime']

let work = ''
let layout = ''

describe.runIf(needs('root', 'buildah', 'skopeo', 'umoci', 'python3'))('an image', () => {
  beforeAll(() => {
    work = makeTemporary()
    layout = `${work}/layout`
    buildWithBuildah()
    convertWithSkopeo()
    nest()
    attach()
  })
  afterAll(() => removeTemporary(work))

  test.each([
    ...SINGLE.map((tag) => [tag, 'amd64', []] as const),
    ['nested', 'amd64', AMD64] as const,
    ...MULTIPLE.map((tag) => [tag, 'arm64', ARM64] as const)
  ])('is unpacked, changed and repacked: %s, %s', (tag, architecture, platform) => {
    const image = ['--image', `${layout}:${tag}`, ...platform]
    const [tree, bundle, rootfs] = [`${work}/tree-${architecture}`, `${work}/bundle`, `${work}/raw`]
    ociUnpackOk('raw', 'unpack', ...image, rootfs)
    expect(compareTrees(tree, rootfs, ROOT)).toEqual([])
    ociUnpackOk('unpack', ...image, bundle)
    expect(compareTrees(tree, `${bundle}/rootfs`, ROOT)).toEqual([])
    ociUnpackOk('raw', 'runtime-config', ...image, '--rootfs', `${bundle}/rootfs`, `${work}/config`)
    expect(fs.readFileSync(`${work}/config`)).toEqual(fs.readFileSync(`${bundle}/config.json`))
    expect(ociUnpackOk('diff', bundle).stdout).toBe('')
    fs.writeFileSync(`${bundle}/rootfs/etc/new`, 'new')
    ociUnpackOk('repack', '--image', `${layout}:changed`, bundle)
    ociUnpackOk('raw', 'unpack', '--image', `${layout}:changed`, ...platform, `${work}/again`)
    expect(compareTrees(`${bundle}/rootfs`, `${work}/again`)).toEqual([])
    ociUnpackOk('verify', '--image', `${layout}:changed`)
    ociUnpackOk('rm', '--image', `${layout}:changed`)
    for (const made of [bundle, rootfs, `${work}/again`]) removeTemporary(made)
  })

  test.each([...SINGLE, ...MULTIPLE, 'artifact'])(
    'is shown, verified, copied and tagged: %s',
    (tag) => {
      const image = `${layout}:${tag}`
      expect(ociUnpackOk('ls', '--layout', layout).stdout.split('\n')).toContain(tag)
      expect(ociUnpackOk('ls', '--long', '--layout', layout).stdout).toContain(tag)
      for (const form of ['--long', '--json']) {
        const { stdout } = ociUnpackOk('stat', form, '--image', image)
        expect(stdout).toContain(tag === 'artifact' ? 'application/x-signature' : 'sha256:')
      }
      expect(ociUnpackOk('verify', '--image', image).stdout).toMatch(/^ok /m)
      ociUnpackOk('copy', image, `oci-archive:${work}/copy.tar:x`)
      ociUnpackOk('copy', `oci-archive:${work}/copy.tar:x`, `${work}/copied:x`)
      expect(entry(`${work}/copied`, 'x').digest).toBe(entry(layout, tag).digest)
      ociUnpackOk('tag', '--image', image, 'other')
      expect(entry(layout, 'other')).toMatchObject({ digest: entry(layout, tag).digest })
      ociUnpackOk('rm', '--image', `${layout}:other`)
      for (const made of ['copy.tar', 'copied']) removeTemporary(`${work}/${made}`)
    }
  )

  test.each(MULTIPLE)('of several platforms gives one of them: %s', (tag) => {
    const image = ['--image', `${layout}:${tag}`]
    ociUnpackOk('tag', ...image, ...ARM64, 'arm')
    expect(documents(layout, 'arm').config).toMatchObject({ architecture: 'arm64' })
    ociUnpackOk('rm', '--image', `${layout}:arm`)
    ociUnpackOk('copy', ...ARM64, `${layout}:${tag}`, `${work}/arm:x`)
    expect(documents(`${work}/arm`, 'x').config).toMatchObject({ architecture: 'arm64' })
    removeTemporary(`${work}/arm`)
  })

  test.each([...SINGLE, ...MULTIPLE])('gets a layer and another config: %s', (tag) => {
    const platform = SINGLE.includes(tag as 'oci') ? [] : ARM64
    const [from, to] = [
      ['--image', `${layout}:${tag}`],
      ['--image', `${layout}:more`]
    ]
    fs.writeFileSync(`${work}/file`, 'file')
    ok('tar', '-cf', `${work}/layer.tar`, '-C', work, 'file')
    ociUnpackOk('insert', ...from, ...platform, '--tag=more', `${work}/file`, '/inserted')
    ociUnpackOk('raw', 'add-layer', ...to, ...platform, `${work}/layer.tar`)
    ociUnpackOk('config', ...to, ...platform, '--config.label=added=1')
    expect(ociUnpackOk('stat', '--json', ...to, ...platform).stdout).toContain('"added":"1"')
    ociUnpackOk('raw', 'unpack', ...to, ...platform, `${work}/out`)
    expect(fs.readdirSync(`${work}/out`)).toEqual(['data', 'etc', 'file', 'inserted'])
    ociUnpackOk('rm', ...to)
    removeTemporary(`${work}/out`)
  })

  test.each(['oci-archive', 'docker-archive'])('in an archive of buildah: %s', (transport) => {
    const name = `${transport}:${work}/buildah-${transport}.tar`
    expect(ociUnpackOk('ls', '--layout', name).stdout).toMatch(/1|x/)
    ociUnpackOk('stat', '--image', name)
    ociUnpackOk('verify', '--layout', name)
    ociUnpackOk('raw', 'unpack', '--image', name, `${work}/raw`)
    expect(compareTrees(`${work}/tree-amd64`, `${work}/raw`, ROOT)).toEqual([])
    removeTemporary(`${work}/raw`)
  })

  test('is whole after gc, for skopeo and umoci too', () => {
    ociUnpackOk('gc', '--layout', layout)
    ociUnpackOk('verify', '--layout', layout)
    // this skopeo reads no Docker types in a layout
    for (const tag of ['oci', 'zstd', 'multi'])
      ok(
        'skopeo',
        '--override-arch=amd64',
        'copy',
        '--quiet',
        `oci:${layout}:${tag}`,
        `dir:${work}/dir-${tag}`
      )
    expect(ociUnpackOk('stat', '--history', '--image', `${layout}:oci`).stdout).toBe(
      run('umoci', 'stat', '--image', `${layout}:oci`).stdout
    )
    expect(
      entries(layout).filter(({ annotations }) => annotations?.[REF] === undefined)
    ).toHaveLength(1)
  })
})

/** Images `oci` and `multi`, archives, and two images in the form that keeps Docker's types. */
function buildWithBuildah(): void {
  for (const architecture of ['amd64', 'arm64']) {
    const tree = `${work}/tree-${architecture}`
    fs.mkdirSync(tree)
    ok('sh', '-euc', TREE, tree, architecture)
    const container = buildah('from', '--arch', architecture, 'scratch').trim()
    buildah('copy', '-q', container, tree, '/')
    buildah('config', '--arch', architecture, '--user=1000:100', '--cmd=sh', '--env=A=1', container)
    for (const format of ['oci', 'docker'])
      buildah('commit', '-q', '--format', format, container, `${format}-${architecture}`)
  }
  buildah('manifest', 'create', 'list', 'oci-amd64', 'oci-arm64')
  buildah('manifest', 'push', '-q', '--all', 'list', `oci:${layout}:multi`)
  buildah('manifest', 'create', 'docker-list', 'docker-amd64', 'docker-arm64')
  buildah('push', '-q', 'oci-amd64', `oci:${layout}:oci`)
  buildah('push', '-q', 'docker-amd64', `dir:${work}/built-as-docker`)
  buildah('push', '-q', 'docker-arm64', `dir:${work}/docker-arm64`)
  buildah('push', '-q', 'oci-amd64', `oci-archive:${work}/buildah-oci-archive.tar:x`)
  buildah('push', '-q', 'oci-amd64', `docker-archive:${work}/buildah-docker-archive.tar:app:1`)
  register('built-as-docker')
}

const TREE = `
cd "$0"; mkdir etc data; echo "$1" >etc/hostname; head -c 100000 /dev/zero >data/f; ln data/f data/h
ln -s f data/s; chmod 4755 data/f
find . -exec touch -h -d @1600000000 {} +`

function buildah(...args: string[]): string {
  const store = ['--root', `${work}/buildah`, '--runroot', `${work}/buildah-run`]
  return ok('buildah', '--storage-driver=vfs', ...store, ...args).stdout
}

/** Docker's media types do not survive skopeo's way into a layout. */
function register(tag: string): void {
  ok(process.execPath, addDocker, `${work}/${tag}`, layout, tag)
}

function convertWithSkopeo(): void {
  const [oci, plain] = [`oci:${layout}:oci`, `dir:${work}/plain`]
  ok('skopeo', 'copy', '--quiet', '--dest-decompress', oci, plain)
  const zstd = ['--dest-compress', '--dest-compress-format=zstd']
  ok('skopeo', 'copy', '--quiet', ...zstd, plain, `oci:${layout}:zstd`)
  ok('skopeo', 'copy', '--quiet', '--format=v2s2', oci, `dir:${work}/docker`)
  register('docker')
}

/** An index of an index, and Docker's own list of manifests. */
function nest(): void {
  tag('nested', store(INDEX, { schemaVersion: 2, manifests: [withoutTag(entry(layout, 'multi'))] }))
  register('docker-arm64')
  const manifests = (['built-as-docker', 'docker-arm64'] as const).map((name, at) => ({
    ...withoutTag(entry(layout, name)),
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] }
  }))
  const mediaType = 'application/vnd.docker.distribution.manifest.list.v2+json'
  tag('docker-list', store(mediaType, { schemaVersion: 2, mediaType, manifests }))
}

/** An artifact about the image `oci`, once under a tag and once as referrers lie in a layout: without one. */
function attach(): void {
  const artifactType = 'application/x-signature'
  const config = store('application/vnd.oci.empty.v1+json', {})
  const layers = [store(artifactType, { signed: true })]
  const subject = withoutTag(entry(layout, 'oci'))
  for (const note of ['tagged', undefined]) {
    const annotations = note === undefined ? {} : { note }
    const about = { schemaVersion: 2, mediaType: MANIFEST, artifactType, config, layers }
    const made = store(MANIFEST, { ...about, subject, annotations })
    if (note === undefined) writeEntries([...entries(layout), { ...made, artifactType }])
    else tag('artifact', made)
  }
}

interface Entry extends Descriptor {
  annotations?: Record<string, string>
  artifactType?: string
}

function store(mediaType: string, document: object): Descriptor {
  const bytes = Buffer.from(JSON.stringify(document))
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
  fs.writeFileSync(blobPath(layout, descriptor), bytes)
  return descriptor
}

function tag(name: string, descriptor: Descriptor): void {
  writeEntries([...entries(layout), { ...descriptor, annotations: { [REF]: name } }])
}

function writeEntries(manifests: readonly Entry[]): void {
  fs.writeFileSync(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }))
}

function entries(path: string): Entry[] {
  const index = fs.readFileSync(`${path}/index.json`, 'utf8')
  return (JSON.parse(index) as { manifests: Entry[] }).manifests
}

function entry(path: string, name: string): Entry {
  return entries(path).find(({ annotations }) => annotations?.[REF] === name)!
}

function withoutTag({ mediaType, digest, size }: Entry): Descriptor {
  return { mediaType, digest, size }
}
