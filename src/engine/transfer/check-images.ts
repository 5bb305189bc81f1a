/** Reads images as an unpack does, up to the merged tree, but writes nothing: whatever it would refuse is found. */
import { display } from '../../bytes.ts'
import { OciUnpackError, withFacts } from '../../errors.ts'
import { fold } from '../../plan/fold.ts'
import { INDEXED_NODES, newTree } from '../../plan/tree.ts'
import type { ImageSource } from '../../store/image-source.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import { decodeEntries } from '../../worker/entry-codec.ts'
import { checkLimit } from '../../worker/limit.ts'
import type { Pool } from '../../worker/pool.ts'
import type { ReadLayerTask } from '../../worker/read-layer.ts'
import { layerName, readLayerTask, type LayerSettings } from '../extract/layer-tasks.ts'
import { throwIfAborted } from '../operation/abort.ts'
import { withThreads } from '../operation/threads.ts'
import type { ImageBlob, OnFault } from './image-documents.ts'
import { SharedLayers, type LayerEntries } from './shared-layers.ts'

export interface ImageCheckSettings extends LayerSettings {
  jobs: number
  signal: AbortSignal | undefined
}

/** An image whose documents are right. */
export interface ReadableImage {
  blob: ImageBlob
  image: ResolvedImage
}

/** Reads each layer once. A fault in one image does not keep the others from being checked. @throws ABORTED */
export async function checkImages(
  source: ImageSource,
  images: readonly ReadableImage[],
  settings: ImageCheckSettings,
  onFault: OnFault
): Promise<void> {
  const { jobs, signal } = settings
  const checks = images.map(({ blob, image }) => ({
    blob,
    tasks: tasksOf(source, image, settings)
  }))
  await withThreads(jobs, { jobs, signal }, async (pool: Pool) => {
    const layers = new SharedLayers(
      pool,
      settings,
      checks.flatMap(({ tasks }) => tasks)
    )
    const queue = checks.values()
    const work = async (): Promise<void> => {
      for (const check of queue) {
        throwIfAborted(signal)
        await checkImage(check, layers, settings, onFault)
        layers.release(check.tasks)
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.max(1, jobs) }, work))
    } finally {
      layers.close()
    }
  })
}

interface ImageCheck {
  blob: ImageBlob
  tasks: readonly ReadLayerTask[]
}

function tasksOf(
  source: ImageSource,
  image: ResolvedImage,
  settings: ImageCheckSettings
): ReadLayerTask[] {
  return image.manifest.layers.map((_, layer) =>
    readLayerTask({ source, image, settings }, layer, { kind: 'index', countsHoles: true })
  )
}

async function checkImage(
  { blob, tasks }: ImageCheck,
  shared: SharedLayers,
  settings: ImageCheckSettings,
  onFault: OnFault
): Promise<void> {
  const outcomes = await Promise.allSettled(tasks.map((task) => shared.read(task)))
  throwIfAborted(settings.signal)
  const layers = outcomes.flatMap((outcome, index) => {
    if (outcome.status === 'fulfilled') return [outcome.value]
    onFault(blob.content.layers[index]!, known(outcome.reason))
    return []
  })
  if (layers.length < tasks.length) return
  try {
    assertTogether(blob, layers, settings)
  } catch (error) {
    onFault(blob, known(error))
  }
}

/** What only all layers together show. @throws LIMIT_EXCEEDED, ENTRY_INVALID */
function assertTogether(
  { content }: ImageBlob,
  layers: readonly LayerEntries[],
  { limits }: ImageCheckSettings
): void {
  const sum = (count: (layer: LayerEntries) => number): number =>
    layers.reduce((total, layer) => total + count(layer), 0)
  checkLimit(
    'entries',
    sum(({ counters }) => counters.entries),
    limits.entries
  )
  const bytes = sum(({ counters, holes }) => counters.unpacked + holes)
  checkLimit('unpacked bytes', bytes, limits.unpackedBytes)
  const tree = newTree(INDEXED_NODES)
  for (const [layer, { batches }] of layers.entries())
    for (const batch of batches)
      for (const entry of decodeEntries(batch))
        try {
          fold(tree, layer, entry, { keepDirlinks: false })
        } catch (error) {
          const name = layerName(layer, content.manifest.layers[layer]!)
          throw withFacts(error, { layer: name, entry: display(entry.path) })
        }
}

function known(error: unknown): OciUnpackError {
  if (error instanceof OciUnpackError) return error
  throw error
}
