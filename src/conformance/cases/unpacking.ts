/** Cases with new images, known images, and images of which some layers are known. */
import type { Bench, Unpacked } from '../bench.ts'
import type { Case } from '../case.ts'
import { checkExtracted, checkNothingSkipped, checkTree } from '../checks.ts'
import {
  fileLayer,
  linkLayer,
  metadataLayer,
  relinkLayer,
  returnLayer,
  whiteoutLayer,
  type MadeLayer
} from '../layers.ts'

const RIGHT =
  'After finish, the root file system equals what the engine makes from the image without hooks.'

export const coldUnpack: Case = {
  name: 'cold unpack',
  contract: `All layers of an unknown image are extracted. ${RIGHT}`,
  needs: [],
  run: (bench) => unpackNew(bench, fileLayer('added', 'by the second layer'))
}

export const whiteouts: Case = {
  name: 'whiteouts and opaque directories',
  contract: `Files of lower layers that a layer deletes or hides are not visible, and files that a later layer brings back are. ${RIGHT}`,
  needs: [],
  run: (bench) => unpackNew(bench, whiteoutLayer(), returnLayer())
}

export const links: Case = {
  name: 'links across layers',
  contract: `Hard links may lead to files of lower layers, and paths may lead through symbolic links. ${RIGHT}`,
  needs: [],
  run: (bench) => unpackNew(bench, linkLayer(), relinkLayer())
}

export const metadata: Case = {
  name: 'metadata and odd names',
  contract: `Owners, modes, times, attributes and names of any bytes are preserved, including those of the root. ${RIGHT}`,
  needs: [],
  run: (bench) => unpackNew(bench, metadataLayer(bench.able))
}

async function unpackNew(bench: Bench, ...layers: MadeLayer[]): Promise<void> {
  const image = await bench.newImage(...layers)
  let unpacked: Unpacked
  try {
    unpacked = await bench.unpack(image)
  } finally {
    checkNothingSkipped(image, bench.calls) // reports more than a difference that may follow from it
  }
  checkTree(unpacked.rootfs, image, 'After the first unpack')
}

export const warmUnpack: Case = {
  name: 'warm unpack',
  contract: `Committed layers are found again, so nothing is extracted. ${RIGHT}`,
  needs: ['try-skip'],
  async run(bench) {
    const image = await bench.newImage(whiteoutLayer(), linkLayer())
    await bench.unpack(image)
    const again = await bench.unpack(image)
    checkExtracted(again, [])
    checkTree(again.rootfs, image, 'After a second unpack')
  }
}

export const sharedLayers: Case = {
  name: 'a second image that shares layers',
  contract: `If the lower layers of an image are committed, only those above are extracted. ${RIGHT}`,
  needs: ['try-skip'],
  async run(bench) {
    const layout = bench.newPath('layout')
    const shared = [bench.newBase(), linkLayer()]
    const one = await bench.addImage(layout, 'one', ...shared, fileLayer('added', 'one'))
    const other = await bench.addImage(layout, 'other', ...shared, whiteoutLayer(), returnLayer())
    await bench.unpack(one)
    const second = await bench.unpack(other)
    checkExtracted(second, bench.set.extract === 'rootfs' ? [0, 1, 2, 3] : [2, 3])
    checkTree(second.rootfs, other, 'After the unpack of the second image')
  }
}
