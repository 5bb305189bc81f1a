/** The case for bundle.mount and bundle.umount. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { twice } from '../bench.ts'
import type { Case } from '../case.ts'
import { checkGone, checkSame, checkTree } from '../checks.ts'
import { whiteoutLayer } from '../layers.ts'
import { readTree } from '../tree.ts'

export const mounting: Case = {
  name: 'unmounted and mounted again',
  contract:
    'bundle.umount and bundle.mount may be called twice. After umount and mount the root file system has all that was ' +
    'in it, and can be written to. An unmounted bundle can be deleted, and no other bundle notices any of this.',
  needs: ['mount', 'umount'],
  async run(bench) {
    const image = await bench.newImage(whiteoutLayer())
    const one = await bench.unpack(image)
    const other = await bench.unpack(image)
    writeFileSync(join(one.rootfs, 'etc/salt'), 'written before it was unmounted')
    const before = readTree(one.rootfs, bench.set)
    await bench.umount(one.bundle, twice('umount'))
    await bench.mount(one.bundle, twice('mount'))
    const what = `${one.rootfs} is not what it was before it was unmounted`
    checkSame(before, readTree(one.rootfs, bench.set), what, {
      expected: 'what it was',
      found: 'what it is now'
    })
    writeFileSync(join(one.rootfs, 'etc/salt'), 'written after it was mounted again')
    checkTree(other.rootfs, image, 'After another bundle was unmounted and mounted')
    await bench.umount(one.bundle)
    await bench.delete(one.bundle)
    checkGone(one.bundle)
    checkTree(other.rootfs, image, 'After another bundle was unmounted and deleted')
  }
}
