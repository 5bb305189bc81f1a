/** OCI layouts from layers; every digest, size, count and media type is right unless a test asks for a wrong one. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface Layer {
  tar: Buffer
  /** What is stored; gzip of the tar if not given. */
  blob?: Buffer
  mediaType?: string
  /** Lies of the layer's descriptor. */
  descriptor?: Partial<Descriptor>
  /** A lie of the config. */
  diffId?: string
}

export interface Image {
  layers: readonly (Buffer | Layer)[]
  tag?: string
  /** Merged into the image config. */
  config?: Record<string, unknown>
  /** Instead of the diff ids of the layers. */
  diffIds?: readonly string[]
  /** Merged into the manifest. */
  manifest?: Record<string, unknown>
}

export interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

export interface BuiltImage {
  /** `LAYOUT:TAG`, as `--image` takes it. */
  reference: string
  layout: string
  /** As the manifest has them: a lie shows here too. */
  layers: readonly Descriptor[]
  manifest: Descriptor
  config: Descriptor
}

const GZIP_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

/** Writes a layout with one image into a directory that is not there yet. */
export function buildImage(layout: string, image: Image): BuiltImage {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  const layers = image.layers.map((layer) => (Buffer.isBuffer(layer) ? { tar: layer } : layer))
  const descriptors = layers.map((layer) => storeLayer(layout, layer))
  const diffIds = image.diffIds ?? layers.map((layer) => layer.diffId ?? sha256(layer.tar))
  const config = storeJson(layout, CONFIG, imageConfig(diffIds, image.config))
  const manifest = storeJson(layout, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: descriptors,
    ...image.manifest
  })
  const tag = image.tag ?? 'latest'
  writeIndex(layout, [{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': tag } }])
  return { reference: `${layout}:${tag}`, layout, layers: descriptors, manifest, config }
}

export function blobPath(layout: string, descriptor: Descriptor): string {
  return join(layout, 'blobs', descriptor.digest.replace(':', '/'))
}

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function writeIndex(layout: string, manifests: readonly object[]): void {
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
}

export function storeJson(layout: string, mediaType: string, value: object): Descriptor {
  return storeBlob(layout, mediaType, Buffer.from(JSON.stringify(value)))
}

function storeLayer(layout: string, layer: Layer): Descriptor {
  const blob = layer.blob ?? gzipSync(layer.tar)
  return { ...storeBlob(layout, layer.mediaType ?? GZIP_LAYER, blob), ...layer.descriptor }
}

export function storeBlob(layout: string, mediaType: string, bytes: Buffer): Descriptor {
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
  writeFileSync(blobPath(layout, descriptor), bytes)
  return descriptor
}

function imageConfig(diffIds: readonly string[], more: Record<string, unknown> = {}): object {
  return {
    created: '2026-01-01T00:00:00Z',
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...more
  }
}

/** Go's names for Node's. */
const ARCHITECTURES: Partial<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64' }
