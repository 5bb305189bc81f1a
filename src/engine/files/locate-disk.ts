/** Finds the disk of a containerDisk by the indexes of its layers. */
import type { ByteString } from '../../bytes.ts'
import { normalizeImage } from '../extract/unpack-options.ts'
import { withImage } from '../transfer/with-image.ts'
import { DISK_DIRECTORY, diskIn, noDirectory } from './find-disk.ts'
import { findFilesWith } from './find-files.ts'
import type { ImageFileOptions } from './image-file.ts'
import { openIndexDirectory } from './index-directory.ts'
import { IndexedLayers } from './indexed-layers.ts'
import { withLayerReader } from './layer-reader.ts'

/** Its path in the image. @throws PATH_NOT_FOUND, PATH_INVALID if there are several, and what reading throws */
export function locateDisk(options: Omit<ImageFileOptions, 'path'>): Promise<ByteString> {
  return withImage(options.image, normalizeImage(options), async (job) => {
    const layers = new IndexedLayers(job, openIndexDirectory(options.index, job.settings.onEvent))
    try {
      return await withLayerReader(job, async (reader) => {
        const index = (layer: number) => layers.entries(layer, reader)
        const [found] = await findFilesWith({ index }, job, [DISK_DIRECTORY], 'follow')
        return diskIn(found!).path
      })
    } catch (error) {
      throw noDirectory(error)
    } finally {
      layers.close()
    }
  })
}
