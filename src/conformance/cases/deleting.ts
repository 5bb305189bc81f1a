/** The case for bundle.delete. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { display, fromText } from '../../bytes.ts'
import type { HookSet } from '../../hooks/calls.ts'
import { mountsBelow } from '../../sys/mounts.ts'
import type { Bench } from '../bench.ts'
import type { Case } from '../case.ts'
import { checkExtracted, checkTree } from '../checks.ts'
import { whiteoutLayer } from '../layers.ts'
import { Broken } from '../report.ts'

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
    await bench.delete(one.bundle, twice)
    checkGone(bench, one.bundle)
    checkTree(other.rootfs, image, 'After another bundle was written to and deleted')
    const third = await bench.unpack(image)
    if (bench.set.points.has('try-skip')) checkExtracted(third, [])
    checkTree(third.rootfs, image, 'In a bundle made after another was written to and deleted')
  }
}

/** Calls it twice, as after an engine that died before it knew that the hook was done. */
function twice(set: HookSet): HookSet {
  return {
    ...set,
    async call(point, context, signal) {
      if (point === 'delete') await set.call(point, context, signal)
      return set.call(point, context, signal)
    }
  }
}

function checkGone(bench: Bench, bundle: string): void {
  const mounts = mountsBelow(fromText(bench.scratch)).filter((point) =>
    point.startsWith(`${fromText(bundle)}/`)
  )
  if (mounts.length > 0)
    throw new Broken({ seen: `Still mounted: ${mounts.map(display).join(', ')}` })
  if (existsSync(bundle)) throw new Broken({ seen: `${bundle} is still there.` })
}
