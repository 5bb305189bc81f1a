/** Cases for sets that keep layers as images. */
import {
  appendFileSync,
  copyFileSync,
  renameSync,
  truncateSync,
  statSync,
  writeFileSync
} from 'node:fs'
import type { Bench, Unpacked } from '../bench.ts'
import { callsOf } from '../calls.ts'
import type { Case } from '../case.ts'
import { checkExtracted, checkTree } from '../checks.ts'
import { fileLayer, whiteoutLayer } from '../layers.ts'
import { Broken } from '../report.ts'
import { checkCommitted } from './committed.ts'

export const joined: Case = {
  name: 'layers that were never joined',
  contract:
    'merge names a path by the chain ID of the top layer. An image whose layers are all committed, but under other images, is ' +
    'joined at its own path, and so is one whose joined image was damaged.',
  needs: ['merge'],
  async run(bench) {
    const layout = bench.newPath('layout')
    const layers = [bench.newBase(), whiteoutLayer(), fileLayer('added', 'added')]
    const whole = await bench.addImage(layout, 'whole', ...layers)
    const part = await bench.addImage(layout, 'part', ...layers.slice(0, 2))
    await bench.unpack(whole)
    const second = await bench.unpack(part)
    if (callsOf(second.calls, 'pre-extract').length > 0)
      throw new Broken({ seen: 'A layer was extracted again, though all of them were committed.' })
    await checkCommitted(bench, second)
    checkTree(second.rootfs, part, 'Of layers that were committed with another image')
    const { merged } = imagesOf(second)
    await bench.delete(second.bundle)
    truncateSync(merged, 4096)
    const third = await bench.unpack(part)
    await checkCommitted(bench, third)
    checkTree(third.rootfs, part, 'After the image that joins the layers was damaged')
    checkExtracted(await bench.unpack(part), [])
  }
}

export const damaged: Case = {
  name: 'damaged images',
  contract:
    'What was put in the place of an image, cut or lengthened is not mounted: the kernel would show wrong files, or fail when they are read.',
  needs: ['merge', 'mount', 'umount'],
  async run(bench) {
    const unpacked = await bench.unpack(
      await bench.newImage(fileLayer('one', 'one'), fileLayer('two', 'two'))
    )
    await bench.umount(unpacked.bundle)
    const [, one, two] = imagesOf(unpacked).layers
    for (const { what, damage } of DAMAGES) {
      copyFileSync(one!, `${one!}.kept`)
      damage(one!, two!)
      try {
        await refuses(bench, unpacked, what)
      } finally {
        renameSync(`${one!}.kept`, one!)
      }
    }
    await bench.mount(unpacked.bundle)
    checkTree(unpacked.rootfs, unpacked.image, 'After all images were put back')
  }
}

/** To the image of a layer; the other one has the same size. */
const DAMAGES: readonly { what: string; damage: (image: string, other: string) => void }[] = [
  { what: 'was lengthened', damage: (image) => appendFileSync(image, Buffer.alloc(4096)) },
  { what: 'was cut', damage: (image) => truncateSync(image, statSync(image).size - 4096) },
  { what: 'was exchanged for another', damage: (image, other) => copyFileSync(other, image) },
  {
    what: 'was overwritten',
    damage: (image) => writeFileSync(image, Buffer.alloc(statSync(image).size))
  }
]

async function refuses(bench: Bench, { bundle }: Unpacked, what: string): Promise<void> {
  try {
    await bench.mount(bundle)
  } catch {
    return
  }
  throw new Broken({ seen: `A layer whose image ${what} was mounted.` })
}

function imagesOf({ calls }: Unpacked): { merged: string; layers: string[] } {
  const { layers, merged } = callsOf(calls, 'finish').at(-1)!.context as unknown as {
    layers: readonly { target: string }[]
    merged: string
  }
  return { merged, layers: layers.map(({ target }) => target) }
}
