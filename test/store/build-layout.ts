import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestHex, digestOf, type Digest } from '../../src/image/digest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { REF_NAME } from '../../src/image/tags.ts'
import type { Descriptor, Platform } from '../../src/image/types.ts'
import { file, tar } from '../support/tar-builder.ts'

/** A layout on disk for tests; every method returns the descriptor of what it stored. */
export interface TestLayout {
  path: string
  blob(bytes: Buffer | string, mediaType: string): Descriptor
  /** An image of layers that each have one file with the given content. */
  image(options?: { layers?: string[]; platform?: Platform; diffIds?: Digest[] }): Descriptor
  index(manifests: Descriptor[], mediaType?: string): Descriptor
  /** Writes index.json. */
  tag(entries: Record<string, Descriptor>): void
  pathOf(digest: Digest): string
  remove(): void
}

export const LINUX: Platform = { os: 'linux', architecture: 'amd64' }

export function buildLayout(): TestLayout {
  const path = mkdtempSync(join(tmpdir(), 'layout-test-'))
  mkdirSync(join(path, 'blobs', 'sha256'), { recursive: true })
  writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(path, 'index.json'), '{"schemaVersion":2,"manifests":[]}')
  const pathOf = (digest: Digest) => join(path, 'blobs', 'sha256', digestHex(digest))

  function blob(content: Buffer | string, mediaType: string): Descriptor {
    const bytes = Buffer.from(content)
    const digest = digestOf(bytes)
    writeFileSync(pathOf(digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  const json = (value: unknown, mediaType: string) => blob(JSON.stringify(value), mediaType)

  return {
    path,
    blob,
    image({ layers = ['layer'], platform = LINUX, diffIds } = {}) {
      const descriptors = layers.map((text) => blob(tar(file('file', text)), OCI_LAYER))
      const diff_ids = diffIds ?? descriptors.map(({ digest }) => digest)
      const config = json({ ...platform, rootfs: { type: 'layers', diff_ids } }, OCI_CONFIG)
      return json({ schemaVersion: 2, config, layers: descriptors }, OCI_MANIFEST)
    },
    index: (manifests, mediaType = OCI_INDEX) => json({ schemaVersion: 2, manifests }, mediaType),
    tag(entries) {
      const manifests = Object.entries(entries).map(([tag, descriptor]) => ({
        ...descriptor,
        annotations: { [REF_NAME]: tag }
      }))
      writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
    },
    pathOf,
    remove: () => rmSync(path, { recursive: true, force: true })
  }
}
