/** Layers as images, and the image that joins them, made from the engine's own merged tree. */
import { MergedImageTree } from '../../src/erofs/merged-tree.ts'
import { BLOCK } from '../../src/erofs/format.ts'
import { mergedImage, type MergedImageOptions } from '../../src/erofs/write-image.ts'
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
  const tree = new MergedImageTree(layers.length, { keepDirlinks: false, keepEntries: false })
  layers.forEach((members, layer) => {
    for (const member of members) tree.add(layer, indexed(member))
  })
  const devices = images.map((image) => ({ blocks: image.length / BLOCK }))
  const parts = mergedImage(tree.finish(), { devices, form, uuid: UUID })
  const header = parts.header(images.map((_, i) => `layer ${i}`))
  return { merged: whole({ ...parts, header }), layers: images }
}

/** As an index of the layer has it. */
function indexed({ entry, extents }: LayerMember): StagedEntry {
  return extents === undefined ? entry : { ...entry, extents }
}
