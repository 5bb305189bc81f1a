/** What is in the layers of an image, for tests that compare layers. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import type { TarEntry } from '../../src/tar/entry.ts'
import { readArchive } from '../support/archive.ts'

export interface LayerEntry extends TarEntry {
  body: string
}

/** The entries of the layers from `first` on, without their offsets; each layer is compressed with gzip. */
export function layerEntries(layout: string, tag: string, first: number): LayerEntry[][] {
  const { manifest } = resolveImage(openLayout(layout), tag, undefined)
  return manifest.layers.slice(first).map(({ digest }) => {
    const blob = readFileSync(`${layout}/blobs/${digest.replace(':', '/')}`)
    return readArchive(gunzipSync(blob)).map(({ entry, body }) => {
      return { ...entry, offset: 0, body: body.toString('latin1') }
    })
  })
}

export function diffIds(layout: string, tag: string): readonly string[] {
  return resolveImage(openLayout(layout), tag, undefined).config.rootfs.diff_ids
}
