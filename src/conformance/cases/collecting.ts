/** The case for store.gc. */
import { collectStore } from '../../engine/collect-storage.ts'
import type { Case } from '../case.ts'
import { checkExtracted, checkTree } from '../checks.ts'
import { whiteoutLayer } from '../layers.ts'

export const collecting: Case = {
  name: 'gc',
  contract:
    'store.gc removes committed layers whose keys are not among the live ones, keeps all others, and does no harm to ' +
    'bundles that use a layer.',
  needs: ['gc', 'try-skip'],
  async run(bench) {
    const live = await bench.newImage(whiteoutLayer())
    const dead = await bench.newImage(whiteoutLayer())
    const used = await bench.newImage(whiteoutLayer())
    for (const image of [live, dead]) await bench.delete((await bench.unpack(image)).bundle)
    const inUse = await bench.unpack(used)
    await bench.withSet(
      (set) => set,
      [],
      (hooks) => collectStore({ layouts: [live.layout], hooks, ...bench.stop })
    )
    checkTree(inUse.rootfs, used, 'After gc')
    const kept = await bench.unpack(live)
    checkExtracted(kept, [])
    checkTree(kept.rootfs, live, 'Of layers that gc kept')
    const anew = await bench.unpack(dead)
    checkExtracted(anew, [0, 1])
    checkTree(anew.rootfs, dead, 'Of layers that were extracted again after gc')
  }
}
