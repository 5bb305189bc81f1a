/** A small bundle to change and repack. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { display } from '../../src/bytes.ts'
import {
  repack,
  unpack,
  type ChangeResult,
  type EngineEvent,
  type RepackOptions
} from '../../src/index.ts'
import { readArchive, type ReadEntry } from '../support/archive.ts'
import { buildImage, type BuiltImage, type Image } from '../support/image-builder.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

export interface SmallBundle {
  /** Holds all the rest. */
  work: string
  layout: string
  image: BuiltImage
  bundle: string
  rootfs: string
  repack: (more?: Partial<RepackOptions>) => Promise<Repacked>
}

export interface Repacked extends ChangeResult {
  /** Entries of the new layer; empty where there is none. */
  entries: ReadEntry[]
  /** `type name`, with ` -> link`. */
  lines: string[]
  warnings: string[]
}

export const TREE = tar(
  directory('d/'),
  file('d/f', 'content'),
  file('d/g', 'content'),
  hardlink('d/h', 'd/g'),
  directory('volume/'),
  file('volume/f', 'content'),
  hardlink('volume/g', 'd/g'),
  symlink('l', 'd')
)

/** Runs with a bundle of the image (one layer, `TREE`, unless told otherwise) and removes everything afterwards. */
export async function withBundle(
  act: (small: SmallBundle) => Promise<void>,
  image: Partial<Image> = {}
): Promise<void> {
  const work = makeTemporary()
  try {
    const layout = `${work}/layout`
    const built = buildImage(layout, { layers: [TREE], ...image })
    const bundle = `${work}/bundle`
    await unpack({ image: built.reference, destination: bundle, jobs: 0 })
    await act({
      work,
      layout,
      image: built,
      bundle,
      rootfs: `${bundle}/rootfs`,
      repack: (more = {}) => repackBundle({ image: `${layout}:new`, bundle, jobs: 1, ...more })
    })
  } finally {
    removeTemporary(work)
  }
}

async function repackBundle(options: RepackOptions): Promise<Repacked> {
  const events: EngineEvent[] = []
  const result = await repack({ ...options, onEvent: (event) => events.push(event) })
  const layout = options.image.slice(0, options.image.lastIndexOf(':'))
  const entries = result.layer === undefined ? [] : readLayer(layout, result.layer.digest)
  const warnings = events.flatMap((event) =>
    event.type === 'warning' ? `${event.message} ${event.facts.entry}` : []
  )
  return { ...result, entries, lines: entries.map(describeEntry), warnings }
}

/** The entries of a gzip layer in a layout. */
export function readLayer(layout: string, digest: string): ReadEntry[] {
  return readArchive(gunzipSync(readFileSync(`${layout}/blobs/${digest.replace(':', '/')}`)))
}

export function describeEntry({ entry: { type, name, link } }: ReadEntry): string {
  return `${type} ${display(name)}${link === '' ? '' : ` -> ${display(link)}`}`
}
