/** The merged tree of a whole image, made in one parallel pass over its layers. Nothing is written. */
import { fold } from '../../plan/fold.ts'
import { INDEXED_NODES, newTree, type Directory } from '../../plan/tree.ts'
import type { ImageJob } from '../extract/job.ts'
import { layerName, readLayerTask } from '../extract/layer-tasks.ts'
import { OrderedLayers } from '../extract/ordered-layers.ts'
import { biggestFirst, stageLayers } from '../extract/stage-layers.ts'

/** Returns the root once all layers are verified. @throws the first failure, with its layer; ABORTED */
export async function indexImage(job: ImageJob): Promise<Directory> {
  const { image, settings } = job
  const { layers } = image.manifest
  const { keepDirlinks } = settings
  const tree = newTree(INDEXED_NODES)
  const names = layers.map((descriptor, layer) => layerName(layer, descriptor))
  const turns = new OrderedLayers(names, (layer) => ({
    add: (entry) => void fold(tree, layer, entry, { keepDirlinks }),
    end: () => undefined
  }))
  const tasks = [...layers.keys()].map((layer) => readLayerTask(job, layer, { kind: 'index' }))
  await stageLayers(biggestFirst(tasks), layers.length, turns, settings)
  return tree.root
}
