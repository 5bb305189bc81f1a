/** Layers as images, and the image that joins them, made from the engine's own merged tree. */
import { LayerBodies } from '../../src/erofs/layer-bodies.ts'
import { imageTreeOf } from '../../src/erofs/merged-tree.ts'
import { BLOCK } from '../../src/erofs/format.ts'
import { mergedImage, type MergedImageOptions } from '../../src/erofs/write-image.ts'
import { fold } from '../../src/plan/fold.ts'
import { INDEXED_NODES, newTree } from '../../src/plan/tree.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { buildLayer, UUID, whole, type LayerMember } from './erofs-image.ts'

export interface BuiltImage {
  merged: Buffer
  /** The images of the layers, bottom first. */
  layers: Buffer[]
}

export function buildImage(
  layers: readonly (readonly LayerMember[])[],
  form: MergedImageOptions['form']
): BuiltImage {
  const images = layers.map((members) => buildLayer(members).image)
  const indexes = layers.map((members) => members.map(indexed))
  const tree = newTree(INDEXED_NODES)
  indexes.forEach((entries, layer) => {
    for (const entry of entries) fold(tree, layer, entry, { keepDirlinks: false })
  })
  const devices = images.map((image) => ({ blocks: image.length / BLOCK }))
  const joined = imageTreeOf(tree.root, indexes.map(bodiesOf))
  const parts = mergedImage(joined, { devices, form, uuid: UUID })
  const header = parts.header(images.map((_, i) => `layer ${i}`))
  return { merged: whole({ ...parts, header }), layers: images }
}

function bodiesOf(entries: readonly StagedEntry[]): LayerBodies {
  const bodies = new LayerBodies()
  for (const entry of entries) bodies.add(entry)
  return bodies
}

/** As an index of the layer has it: every body is somewhere else in the tar. */
function indexed({ entry, extents }: LayerMember, i: number): StagedEntry {
  return { ...entry, body: 512 * (i + 1), ...(extents === undefined ? {} : { extents }) }
}
