/** The case of an image that the author of the hooks provides. */
import { resolveImage } from '../../store/resolve.ts'
import { parseImageName } from '../../transports/image-name.ts'
import { withImages, tagInIndex } from '../../transports/open-images.ts'
import type { Case } from '../case.ts'
import { checkExtracted, checkTree } from '../checks.ts'

/** @param reference `[TRANSPORT:]PATH[:TAG]` */
export function realImage(reference: string): Case {
  return {
    name: `image ${reference}`,
    contract:
      'The image is unpacked twice. The second time nothing is extracted, and both times the root file system equals what ' +
      'the engine makes from the image without hooks.',
    needs: [],
    async run(bench) {
      const name = parseImageName(reference)
      const { path, layers } = await withImages(name, {}, (source) => ({
        path: source.path,
        layers: resolveImage(source, tagInIndex(name), undefined).manifest.layers.length
      }))
      const image = await bench.knownImage(reference, path, layers)
      const first = await bench.unpack(image)
      checkTree(first.rootfs, image, 'After the first unpack')
      if (!bench.set.points.has('try-skip')) return
      const again = await bench.unpack(image)
      checkExtracted(again, [])
      checkTree(again.rootfs, image, 'After the second unpack')
    }
  }
}
