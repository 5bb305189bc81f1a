/** Extracts the layers that a storage does not have yet, in the form in which it keeps them. */
import { ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { LayerStack } from '../../plan/layer-stack.ts'
import type { Directory } from '../../plan/tree.ts'
import { extractImages } from '../erofs/extract-images.ts'
import { extractChain } from '../extract/extract-chain.ts'
import { extractLayers } from '../extract/extract-layers.ts'
import type { Job } from '../extract/job.ts'
import type { Extraction, LayerPlaces } from '../extract/layer-places.ts'
import { mergeImage } from '../extract/merge-image.ts'
import { newPlanRoot } from '../extract/plan-root.ts'

/**
 * Extracts, stages and commits these layers.
 * @param missing base first; for `rootfs`, all layers; for `image` none, if only what joins them is missing
 * @returns the tree of the image with the digests of all files, if that is known
 */
export async function extractMissing(
  job: Job,
  missing: readonly number[],
  places: LayerPlaces
): Promise<Directory | undefined> {
  const { extraction } = places
  if (extraction.kind === 'image') return extractImages(job, missing, places, extraction)
  const tree = await extract(job, missing, places, extraction)
  return missing.length === job.image.manifest.layers.length ? tree : undefined
}

async function extract(
  job: Job,
  missing: readonly number[],
  places: LayerPlaces,
  extraction: Exclude<Extraction, { kind: 'image' }>
): Promise<Directory | undefined> {
  switch (extraction.kind) {
    case 'rootfs':
      return extractRootfs(job, missing, places, extraction.within)
    case 'layer':
      return extractLayers(job, missing, places, extraction.whiteouts)
    case 'chain':
      return extractChain(job, missing, places, extraction.spools)
  }
}

async function extractRootfs(
  job: Job,
  layers: readonly number[],
  places: LayerPlaces,
  within: Extract<Extraction, { kind: 'rootfs' }>['within']
): Promise<Directory> {
  for (const layer of layers) await places.stage(layer)
  const stack = new LayerStack({ keepDirlinks: job.settings.keepDirlinks })
  await within(async (workspace) => {
    const planRoot = newPlanRoot(workspace)
    await mergeImage(job, stack, {
      planRoot,
      name: ROOTFS_DIRECTORY,
      digests: !job.settings.isLazy
    })
  })
  for (const layer of layers) await places.commit(layer)
  return stack.root
}
