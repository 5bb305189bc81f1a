/**
 * Images as other tools write them, built in code: what lies around the layers differs from tool to tool, and is what
 * this table is about. All images contain the same two layers unless a tool changes them itself.
 */
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { sha256, storeBlob, storeJson, writeIndex, type Descriptor } from './image-builder.ts'
import { directory, file, symlink, tar, type Entry } from './tar-builder.ts'

/** One tool's image in a directory of its own. */
export interface Shape {
  /** The tool, and what is special about its image. */
  name: string
  /** Writes it below `at` and returns how `--image` names it. */
  make: (at: string) => string
  /** How else it has to be asked for, as arguments. */
  choose?: readonly string[]
}

const TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  inToto: 'application/vnd.in-toto+json',
  empty: 'application/vnd.oci.empty.v1+json'
} as const

const REF_NAME = 'org.opencontainers.image.ref.name'
const AMD64 = { architecture: 'amd64', os: 'linux' }
const ARM64 = { architecture: 'arm64', os: 'linux', variant: 'v8' }
const UNKNOWN = { architecture: 'unknown', os: 'unknown' }

export const BASE = tar(
  directory('etc/'),
  file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
  file('etc/removed', 'soon\n'),
  directory('srv/')
)
export const TOP = tar(
  directory('etc/'),
  file('etc/.wh.removed'),
  symlink('etc/link', 'passwd'),
  file('srv/app', 'app\n', { mode: 0o755 })
)
const TARS = [BASE, TOP]

type Json = Record<string, unknown>
type Described = Descriptor & Json

interface Parts {
  /** Of the layers; OCI's gzip by default. */
  layerType?: string
  compress?: (tar: Buffer) => Buffer
  tars?: readonly Buffer[]
  configType?: string
  config?: Json
  manifestType?: string
  manifest?: Json
}

/** Stores an image in a layout, and returns its manifest's descriptor. */
function image(layout: string, parts: Parts = {}): Described {
  const { tars = TARS, compress = gzip, layerType = `${TYPES.layer}+gzip` } = parts
  const mediaType = parts.manifestType ?? TYPES.manifest
  const layers = tars.map((each) => storeBlob(layout, layerType, compress(each)))
  const config = storeJson(layout, parts.configType ?? TYPES.config, {
    ...AMD64,
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/srv/app'] },
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
    ...parts.config
  })
  return storeJson(layout, mediaType, {
    schemaVersion: 2,
    mediaType,
    config,
    layers,
    ...parts.manifest
  }) as Described
}

function index(layout: string, manifests: readonly object[], more: Json = {}): Described {
  const value = { schemaVersion: 2, mediaType: TYPES.index, manifests, ...more }
  return storeJson(layout, TYPES.index, value) as Described
}

function newLayout(at: string): string {
  const layout = join(at, 'layout')
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  return layout
}

/** A layout with one entry in its index, which `tag` names. */
function tagged(at: string, tag: string, build: (layout: string) => Described): string {
  const layout = newLayout(at)
  writeIndex(layout, [{ ...build(layout), annotations: { [REF_NAME]: tag } }])
  return `${layout}:${tag}`
}

const gzip = (bytes: Buffer): Buffer => gzipSync(bytes)
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const hex = (bytes: Buffer): string => sha256(bytes).slice('sha256:'.length)

/** BuildKit's provenance: a manifest whose config names the digest of the statement as its diff ID. */
function attestation(layout: string, of: Descriptor): Described {
  const statement = storeBlob(
    layout,
    TYPES.inToto,
    json({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2'
    })
  )
  const manifest = image(layout, {
    tars: [],
    config: { ...UNKNOWN, config: {}, rootfs: { type: 'layers', diff_ids: [statement.digest] } },
    manifest: {
      layers: [
        {
          ...statement,
          annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' }
        }
      ]
    }
  })
  const annotations = {
    'vnd.docker.reference.digest': of.digest,
    'vnd.docker.reference.type': 'attestation-manifest'
  }
  return { ...manifest, annotations, platform: UNKNOWN }
}

/** What `docker buildx build` writes by default: an image and what proves where it comes from. */
function buildx(layout: string): Described {
  const built = { ...image(layout), platform: AMD64 }
  return index(layout, [built, attestation(layout, built)])
}

/** Skippable frames after the data, as zstd:chunked has them for its table of contents. */
function chunkedZstd(bytes: Buffer): Buffer {
  const toc = Buffer.from('table of contents')
  const skippable = Buffer.alloc(8)
  skippable.writeUInt32LE(0x184d2a50, 0)
  skippable.writeUInt32LE(toc.length, 4)
  return Buffer.concat([storedZstd(bytes), skippable, toc])
}

/** One frame of raw blocks, so that nothing need compress it. */
function storedZstd(bytes: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 65_536) {
    const body = bytes.subarray(at, at + 65_536)
    const last = at + body.length >= bytes.length ? 1 : 0
    const head = Buffer.alloc(3)
    head.writeUIntLE((body.length << 3) | last, 0, 3)
    blocks.push(head, body)
  }
  return Buffer.concat([header, ...blocks])
}

/** `podman manifest push --add-compression zstd`: the image twice, once more compressed otherwise. */
function addedCompression(layout: string): Described {
  const byGzip = { ...image(layout), platform: AMD64 }
  const byZstd = image(layout, { layerType: `${TYPES.layer}+zstd`, compress: chunkedZstd })
  const annotations = { 'io.github.containers.compression.zstd': 'true' }
  return index(layout, [byGzip, { ...byZstd, platform: AMD64, annotations }])
}

/** ko and cosign: an SBOM beside the image, and entries without a platform. */
function withSbom(layout: string): Described {
  const built = image(layout)
  const body = storeBlob(layout, 'application/spdx+json', json({ spdxVersion: 'SPDX-2.3' }))
  const sbom = storeJson(layout, TYPES.manifest, {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    artifactType: 'application/spdx+json',
    config: storeBlob(layout, TYPES.empty, Buffer.from('{}')),
    layers: [body],
    subject: built
  })
  return index(layout, [built, { ...sbom, artifactType: 'application/spdx+json' }])
}

/** An entry of a type that image-spec dropped. */
function withUnknownType(layout: string): Described {
  const built = { ...image(layout), platform: AMD64 }
  const scan = storeBlob(layout, 'text/plain', Buffer.from('scan'))
  const mediaType = 'application/vnd.oci.artifact.manifest.v1+json'
  const value = { mediaType, artifactType: 'x/scan', blobs: [scan], subject: built }
  return index(layout, [built, storeJson(layout, mediaType, value)])
}

function twoPlatforms(layout: string): Described {
  const amd64 = { ...image(layout), platform: AMD64 }
  const arm64 = { ...image(layout, { config: ARM64, tars: [BASE] }), platform: ARM64 }
  return index(layout, [arm64, amd64])
}

/** Even `architecture` and `os` are missing: old converters left them out. */
function minimal(layout: string): Described {
  return image(layout, { config: { architecture: undefined, os: undefined, config: undefined } })
}

function chunked(layout: string): Described {
  return image(layout, { layerType: `${TYPES.layer}+zstd`, compress: chunkedZstd })
}

function dockerImage(layout: string): Described {
  return image(layout, { ...DOCKER_TYPES, config: DOCKER_CONFIG })
}

const DOCKER_TYPES = {
  manifestType: TYPES.dockerManifest,
  configType: TYPES.dockerConfig,
  layerType: TYPES.dockerLayer
} as const

const AS_AMD64 = ['--platform', 'linux/amd64']

/** kaniko and Jib: no times but the beginning of time, and history without them. */
const TIMELESS: Json = {
  created: '0001-01-01T00:00:00Z',
  author: 'kaniko',
  history: [{ created_by: 'COPY . /' }, { created: '0001-01-01T00:00:00Z', comment: 'top' }],
  config: {
    Env: null,
    Cmd: ['/srv/app'],
    Entrypoint: null,
    Volumes: null,
    Labels: null,
    OnBuild: null
  }
}

/** What Docker's own builder left in configs. */
const DOCKER_CONFIG: Json = {
  docker_version: '20.10.3',
  container: 'b1946ac92492d2347c6235b4d2611184',
  container_config: { Hostname: 'b1946ac92492', Cmd: ['/bin/sh', '-c', '#(nop) ADD file:1 in / '] },
  config: {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    Tty: false,
    OpenStdin: false,
    Env: ['PATH=/usr/bin'],
    Cmd: ['/srv/app'],
    Image: 'sha256:46331d942d6350436f64e614d75725f6de3bb5c63e266e236e04389820a234c4',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null
  }
}

function configOf(tars: readonly Buffer[], more: Json = {}): Buffer {
  return json({
    ...AMD64,
    config: {},
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
    ...more
  })
}

/** Writes a tar file of members, and returns how `transport` names it. */
function archived(transport: string, at: string, members: readonly Entry[], tag = ''): string {
  writeFileSync(join(at, 'saved.tar'), tar(...members))
  return `${transport}:${join(at, 'saved.tar')}${tag}`
}

const EMPTY_TAR = tar()

/** `docker save` of Docker 1.12 to 24: of equal layers, all but one are links. */
function dockerSave(at: string): string {
  const tars = [BASE, EMPTY_TAR, TOP, EMPTY_TAR]
  const ids = tars.map((_, layer) => String(layer + 1).padStart(64, '0'))
  const config = configOf(tars, DOCKER_CONFIG)
  const layers = tars.flatMap((bytes, layer) => {
    const id = ids[layer]!
    const name = `${id}/layer.tar`
    return [
      directory(`${id}/`),
      file(`${id}/VERSION`, '1.0'),
      file(`${id}/json`, `{"id":"${id}"}`),
      layer === 3 ? symlink(name, `../${ids[1]!}/layer.tar`) : file(name, bytes)
    ]
  })
  const names = ids.map((id) => `${id}/layer.tar`)
  const manifest = [{ Config: `${hex(config)}.json`, RepoTags: ['app:1'], Layers: names }]
  return archived('docker-archive', at, [
    file(`${hex(config)}.json`, config),
    ...layers,
    file('manifest.json', json(manifest)),
    file('repositories', json({ app: { 1: ids[3] } }))
  ])
}

/** `podman save` and `skopeo copy … docker-archive:`: layers by digest, with links for old readers. */
function podmanSave(at: string): string {
  const config = configOf(TARS, { history: [{ created_by: 'one' }, { created_by: 'two' }] })
  const layers = TARS.flatMap((bytes, layer) => {
    const id = String(layer + 1).padStart(64, 'a')
    return [
      file(`${hex(bytes)}.tar`, bytes),
      file(`${id}/VERSION`, '1.0'),
      symlink(`${id}/layer.tar`, `../${hex(bytes)}.tar`),
      file(`${id}/json`, '{}')
    ]
  })
  const names = TARS.map((bytes) => `${hex(bytes)}.tar`)
  const manifest = [
    { Config: `${hex(config)}.json`, RepoTags: ['localhost/app:latest'], Layers: names }
  ]
  return archived('docker-archive', at, [
    ...layers,
    file(`${hex(config)}.json`, config),
    file('manifest.json', json(manifest))
  ])
}

/** kaniko, ko, crane (go-containerregistry), and Jib with other names: compressed layers, and a config without suffix. */
function craneTarball(at: string): string {
  const config = configOf(TARS, TIMELESS)
  const blobs = TARS.map(gzip)
  const names = blobs.map((blob) => `${hex(blob)}.tar.gz`)
  const manifest = [{ Config: `sha256:${hex(config)}`, RepoTags: ['app:latest'], Layers: names }]
  return archived('docker-archive', at, [
    file(`sha256:${hex(config)}`, config),
    ...blobs.map((blob, layer) => file(names[layer]!, blob)),
    file('manifest.json', json(manifest))
  ])
}

function jibTarball(at: string): string {
  const config = configOf(TARS, { ...TIMELESS, created: '1970-01-01T00:00:00Z' })
  const blobs = TARS.map(gzip)
  const names = blobs.map((blob) => `${hex(blob)}.tar.gz`)
  return archived('docker-archive', at, [
    file('config.json', config),
    ...blobs.map((blob, layer) => file(names[layer]!, blob)),
    file('manifest.json', json([{ Config: 'config.json', RepoTags: ['app'], Layers: names }]))
  ])
}

/** `docker load` of Nix: the whole file is compressed. */
function nixTarball(at: string): string {
  const config = configOf(TARS, { created: '1970-01-01T00:00:01Z' })
  const names = TARS.map((bytes) => `${hex(bytes)}/layer.tar`)
  const manifest = [{ Config: `${hex(config)}.json`, RepoTags: ['app:latest'], Layers: names }]
  const members = [
    ...TARS.flatMap((bytes, layer) => [directory(`${hex(bytes)}/`), file(names[layer]!, bytes)]),
    file(`${hex(config)}.json`, config),
    file('manifest.json', json(manifest))
  ]
  writeFileSync(join(at, 'saved.tar.gz'), gzipSync(tar(...members)))
  return `docker-archive:${join(at, 'saved.tar.gz')}`
}

/** The blobs, index and mark of a layout as members, in the order of containerd's exporter. */
function members(blobs: ReadonlyMap<string, Buffer>, manifests: readonly object[]): Entry[] {
  return [
    directory('blobs/'),
    directory('blobs/sha256/'),
    ...[...blobs].map(([digest, bytes]) => file(`blobs/${digest.replace(':', '/')}`, bytes)),
    file('index.json', json({ schemaVersion: 2, mediaType: TYPES.index, manifests })),
    file('oci-layout', '{"imageLayoutVersion":"1.0.0"}')
  ]
}

/** An image as blobs in memory. */
function blobsOf(layers: readonly Buffer[], layerType: string, config: Buffer): Blobs {
  const manifest = json({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: described(TYPES.config, config),
    layers: layers.map((layer) => described(layerType, layer))
  })
  const blobs = new Map([...layers, config, manifest].map((bytes) => [sha256(bytes), bytes]))
  return { blobs, manifest: described(TYPES.manifest, manifest) }
}

interface Blobs {
  blobs: Map<string, Buffer>
  manifest: Descriptor
}

function described(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length }
}

/** `docker save` of Docker 25 and later: a layout that old readers understand, too. */
function dockerSaveAsLayout(at: string, transport: string): string {
  const config = configOf(TARS, DOCKER_CONFIG)
  const { blobs, manifest } = blobsOf(TARS, TYPES.layer, config)
  const annotations = { 'io.containerd.image.name': 'docker.io/library/app:1', [REF_NAME]: '1' }
  const path = (bytes: Buffer): string => `blobs/sha256/${hex(bytes)}`
  const legacy = [
    {
      Config: path(config),
      RepoTags: ['app:1'],
      Layers: TARS.map(path),
      LayerSources: Object.fromEntries(
        TARS.map((bytes) => [sha256(bytes), described(TYPES.layer, bytes)])
      )
    }
  ]
  return archived(transport, at, [
    ...members(blobs, [{ ...manifest, annotations }]),
    file('manifest.json', json(legacy)),
    file('repositories', json({ app: { 1: hex(config) } }))
  ])
}

/** `docker save a:1 b:1` of the containerd store: compressed layers, an index as top, and one tag for two images. */
function dockerSaveOfContainerd(at: string, transport: string): string {
  const config = configOf(TARS)
  const layers = TARS.map(gzip)
  const { blobs, manifest } = blobsOf(layers, `${TYPES.layer}+gzip`, config)
  const top = json({
    schemaVersion: 2,
    mediaType: TYPES.index,
    manifests: [{ ...manifest, platform: AMD64 }]
  })
  blobs.set(sha256(top), top)
  const entry = (name: string): object => ({
    ...described(TYPES.index, top),
    annotations: { 'io.containerd.image.name': `docker.io/library/${name}:1`, [REF_NAME]: '1' }
  })
  const path = (bytes: Buffer): string => `blobs/sha256/${hex(bytes)}`
  const legacy = [{ Config: path(config), RepoTags: ['a:1', 'b:1'], Layers: layers.map(path) }]
  return archived(transport, at, [
    ...members(blobs, [entry('a'), entry('b')]),
    file('manifest.json', json(legacy))
  ])
}

/** debuerreotype: the blobs are links to files beside their directory. */
function debuerreotype(at: string): string {
  const reference = tagged(at, 'latest', (layout) => image(layout))
  const blobs = join(at, 'layout/blobs')
  for (const name of readdirSync(join(blobs, 'sha256'))) {
    renameSync(join(blobs, 'sha256', name), join(blobs, `blob-${name}`))
    symlinkSync(`../blob-${name}`, join(blobs, 'sha256', name))
  }
  return reference
}

/** `skopeo copy … oci:DIR`: nothing names the image. */
function untagged(at: string): string {
  const layout = newLayout(at)
  writeIndex(layout, [image(layout)])
  return layout
}

/** rules_oci: no mark of a layout's version in older ones, and the platform in the index. */
function rulesOci(at: string): string {
  const layout = newLayout(at)
  writeIndex(layout, [{ ...image(layout), platform: AMD64 }])
  return layout
}

/** buildx's own cache and `tar=false` before 0.12 wrote no `oci-layout`. */
function withoutMark(at: string): string {
  const reference = tagged(at, 'latest', buildx)
  rmSync(join(at, 'layout/oci-layout'))
  return reference
}

/** `docker buildx build --output type=oci`: an archive whose one image has two names. */
function buildxArchive(at: string): string {
  const layout = newLayout(at)
  const top = buildx(layout)
  const blobs = new Map(
    readdirSync(join(layout, 'blobs/sha256')).map((name) => [
      `sha256:${name}`,
      readFileSync(join(layout, 'blobs/sha256', name))
    ])
  )
  const annotations = {
    'io.containerd.image.name': 'docker.io/library/app:latest',
    'org.opencontainers.image.created': '2026-11-01T00:00:00Z',
    [REF_NAME]: 'latest'
  }
  return archived('oci-archive', at, members(blobs, [{ ...top, annotations }]))
}

export const SHAPES: readonly Shape[] = [
  { name: 'umoci and stacker', make: (at) => tagged(at, 'app', (layout) => image(layout)) },
  { name: 'buildx with attestations', make: (at) => tagged(at, 'app', buildx) },
  { name: 'buildx with attestations, as an archive', make: buildxArchive },
  { name: 'buildx before 0.12, without oci-layout', make: withoutMark },
  {
    name: 'podman manifest push --add-compression',
    make: (at) => tagged(at, 'app', addedCompression)
  },
  { name: 'zstd:chunked', make: (at) => tagged(at, 'app', chunked) },
  {
    name: 'an index for two platforms',
    make: (at) => tagged(at, 'app', twoPlatforms),
    choose: AS_AMD64
  },
  { name: 'an image with an SBOM beside it', make: (at) => tagged(at, 'app', withSbom) },
  {
    name: 'an index with an entry of an unknown type',
    make: (at) => tagged(at, 'app', withUnknownType)
  },
  {
    name: 'an index in an index',
    make: (at) => tagged(at, 'app', (layout) => index(layout, [buildx(layout)]))
  },
  { name: 'skopeo copy oci:DIR, without a tag', make: untagged },
  { name: 'rules_oci', make: rulesOci },
  { name: 'debuerreotype', make: debuerreotype },
  {
    name: 'kaniko',
    make: (at) => tagged(at, 'app', (layout) => image(layout, { config: TIMELESS }))
  },
  { name: 'a registry of Docker', make: (at) => tagged(at, 'app', dockerImage) },
  { name: 'a config that says only what is needed', make: (at) => tagged(at, 'app', minimal) },
  { name: 'docker save of Docker 24', make: dockerSave },
  { name: 'docker save of Docker 25', make: (at) => dockerSaveAsLayout(at, 'docker-archive') },
  {
    name: 'docker save of Docker 25, as a layout',
    make: (at) => dockerSaveAsLayout(at, 'oci-archive')
  },
  {
    name: 'docker save of the containerd store',
    make: (at) => `${dockerSaveOfContainerd(at, 'docker-archive')}:b:1`
  },
  {
    name: 'docker save of the containerd store, as a layout',
    make: (at) => dockerSaveOfContainerd(at, 'oci-archive')
  },
  { name: 'podman save', make: podmanSave },
  { name: 'crane, ko and kaniko --tar-path', make: craneTarball },
  { name: 'Jib', make: jibTarball },
  { name: 'Nix, compressed as a whole', make: nixTarball }
]
