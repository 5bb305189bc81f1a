/** The case for bundle.delete. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { twice } from '../bench.ts'
import type { Case } from '../case.ts'
import { checkExtracted, checkGone, checkTree } from '../checks.ts'
import { whiteoutLayer } from '../layers.ts'

export const deleting: Case = {
  name: 'delete',
  contract:
    'Writing to one bundle changes no other bundle and no layer. bundle.delete, called twice, removes everything that ' +
    'belongs to the bundle, including mounts and volumes. Layers and other bundles stay as they are.',
  needs: [],
  async run(bench) {
    const image = await bench.newImage(whiteoutLayer())
    const one = await bench.unpack(image)
    const other = await bench.unpack(image)
    writeFileSync(join(one.rootfs, 'etc/salt'), 'written to the first bundle')
    await bench.delete(one.bundle, twice('delete'))
    checkGone(one.bundle)
    checkTree(other.rootfs, image, 'After another bundle was written to and deleted')
    const third = await bench.unpack(image)
    if (bench.set.points.has('try-skip')) checkExtracted(third, [])
    checkTree(third.rootfs, image, 'In a bundle made after another was written to and deleted')
  }
}
