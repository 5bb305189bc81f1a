/** Layouts whose index.json has several entries, in the shapes that different tools write. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { sha256, storeJson, writeIndex, type Descriptor } from './image-builder.ts'
import { directory, file, tar } from './tar-builder.ts'

export type Entry = Descriptor & {
  platform?: object
  annotations?: Record<string, string>
  artifactType?: string
}

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX = 'application/vnd.oci.image.index.v1+json'
export const CONFIG = 'application/vnd.oci.image.config.v1+json'
export const REF_NAME = 'org.opencontainers.image.ref.name'
export const FULL_NAME = 'io.containerd.image.name'

const LAYER = tar(directory('etc/'), file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'))

export class IndexBuilder {
  readonly layout: string

  constructor(layout: string) {
    this.layout = layout
    mkdirSync(`${layout}/blobs/sha256`, { recursive: true })
    writeIndex(layout, [])
  }

  /** An image that says its name when it is run. */
  image(name: string, architecture = 'amd64'): Entry {
    const layer = this.bytes('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(LAYER))
    const config = storeJson(this.layout, CONFIG, {
      os: 'linux',
      architecture,
      config: { Cmd: [name] },
      rootfs: { type: 'layers', diff_ids: [sha256(LAYER)] }
    })
    return this.json(MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] })
  }

  /** The same with a platform in its entry. */
  imageFor(architecture: string, name = architecture): Entry {
    return { ...this.image(name, architecture), platform: { os: 'linux', architecture } }
  }

  /** A manifest that is not an image, as ORAS and cosign write them. */
  artifact(more: object = {}): Entry {
    const config = this.bytes('application/vnd.oci.empty.v1+json', Buffer.from('{}'))
    const layers = [this.bytes('application/spdx+json', Buffer.from('{"sbom":1}'))]
    return this.json(MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers, ...more })
  }

  /** What BuildKit stores for an image. */
  attestation(image: Entry): Entry {
    return {
      ...this.artifact(),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': image.digest
      }
    }
  }

  index(...manifests: readonly unknown[]): Entry {
    return this.json(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests })
  }

  json(mediaType: string, value: object): Entry {
    return storeJson(this.layout, mediaType, value)
  }

  /** Writes index.json. */
  write(...entries: readonly unknown[]): void {
    writeIndex(this.layout, entries as object[])
  }

  private bytes(mediaType: string, bytes: Buffer): Entry {
    const digest = sha256(bytes)
    writeFileSync(`${this.layout}/blobs/${digest.replace(':', '/')}`, bytes)
    return { mediaType, digest, size: bytes.length }
  }
}

export function tagged(entry: Entry, tag: string, fullName?: string): Entry {
  const full = fullName === undefined ? {} : { [FULL_NAME]: fullName }
  return { ...entry, annotations: { ...entry.annotations, ...full, [REF_NAME]: tag } }
}
