/** Makes the indexes of an image's layers ahead of time. */
import { target } from '../image/choice.ts'
import type { ImageJob } from './extract/job.ts'
import { normalizeImage, type ImageOptions } from './extract/unpack-options.ts'
import { openLastingDirectory } from './files/index-directory.ts'
import { IndexedLayers } from './files/indexed-layers.ts'
import { withLayerReader } from './files/layer-reader.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'
import { withImage } from './transfer/with-image.ts'

export interface IndexLayersOptions extends ImageOptions {
  /** The directory of indexes, made if it does not exist; nobody else may write to it. Default: in the user's cache. */
  index?: string
}

export interface IndexLayersResult {
  /** Digest of the image manifest. */
  manifestDigest: string
  /** Bottom first. Layers with the same blob share an index. */
  layers: readonly IndexedLayer[]
}

export interface IndexedLayer {
  /** Of the blob. */
  digest: string
  /** Path of the index. */
  file: string
  /** Bytes of the index, and of the layer's tar. */
  size: number
  tarSize: number
  /** Places at which a decoder can begin. */
  restarts: number
  /** Whether it was made now. */
  isNew: boolean
}

/**
 * Reads every layer that has no index yet as a whole, several at once, verifies it, and makes its index.
 * @throws OciUnpackError with a stable `code`
 */
export async function indexLayers(options: IndexLayersOptions): Promise<IndexLayersResult> {
  requireOptions(options, { image: 'text' }, { index: 'text' })
  return asked({ image: options.image }, () =>
    withImage(options.image, normalizeImage(options), async (job) => {
      const directory = openLastingDirectory(options.index, job.settings.onEvent)
      const layers = new IndexedLayers(job, directory)
      try {
        return {
          manifestDigest: target(job.image.descriptorPath).digest,
          layers: await indexAll(job, layers)
        }
      } finally {
        layers.close()
      }
    })
  )
}

function indexAll(job: ImageJob, layers: IndexedLayers): Promise<IndexedLayer[]> {
  return withLayerReader(job, (reader) => {
    const firsts = new Map<string, Promise<IndexedLayer>>()
    const one = async (layer: number, digest: string): Promise<IndexedLayer> => {
      const isNew = !layers.has(layer)
      const { path, size, tail } = await layers.index(layer, reader)
      const spans = Array.from({ length: tail.spans.count }, (_, at) => tail.spans.at(at))
      const restarts = spans.filter(({ restart }) => restart !== undefined).length
      return { digest, file: path, size, tarSize: tail.size, restarts, isNew }
    }
    return Promise.all(
      job.image.manifest.layers.map(({ digest }, layer) => {
        const first = firsts.get(digest) ?? one(layer, digest)
        firsts.set(digest, first)
        return first
      })
    )
  })
}
