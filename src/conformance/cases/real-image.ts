/** The case of an image that the author of the hooks provides. */
import { resolveImage } from '../../store/resolve.ts'
import { parseImageName } from '../../transports/image-name.ts'
import { openImages, tagInIndex } from '../../transports/open-images.ts'
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
      const source = await openImages(name)
      const { manifest } = resolveImage(source, tagInIndex(name), undefined)
      const image = await bench.knownImage(reference, source.path, manifest.layers.length)
      const first = await bench.unpack(image)
      checkTree(first.rootfs, image, 'After the first unpack')
      if (!bench.set.points.has('try-skip')) return
      const again = await bench.unpack(image)
      checkExtracted(again, [])
      checkTree(again.rootfs, image, 'After the second unpack')
    }
  }
}
