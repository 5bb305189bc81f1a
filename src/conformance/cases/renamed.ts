/** The case in which a directory above a bundle is renamed. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Case } from '../case.ts'
import { checkGone, checkTree } from '../checks.ts'
import { whiteoutLayer } from '../layers.ts'
import { Broken } from '../report.ts'

export const renamed: Case = {
  name: 'renamed parent',
  contract:
    'A directory above a bundle may be renamed, and so OCI_UNPACK_BUNDLE and OCI_UNPACK_ROOTFS change. What belongs to the ' +
    'bundle is found through OCI_UNPACK_STATE: delta-list still sees all changes, and delete removes everything.',
  needs: [],
  async run(bench) {
    const image = await bench.newImage(whiteoutLayer())
    const [before, after] = [bench.newPath('parent'), bench.newPath('renamed')]
    mkdirSync(before)
    const unpacked = await bench.unpack(image, bench.adopt(join(before, 'bundle')))
    renameSync(before, after)
    const bundle = bench.adopt(join(after, 'bundle'))
    const rootfs = join(bundle, 'rootfs')
    checkTree(rootfs, image, 'After a directory above the bundle was renamed')
    writeFileSync(join(rootfs, 'new'), 'after the renaming')
    const { diffId } = await bench.repack({ ...unpacked, bundle, rootfs }, 'renamed')
    if (diffId === undefined)
      throw new Broken({ seen: `A new file in ${rootfs} is not in the layer of a repack.` })
    await bench.delete(bundle)
    checkGone(bundle)
  }
}
