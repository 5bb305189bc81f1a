/** The case of two unpacks at the same time. */
import { join } from 'node:path'
import type { Case } from '../case.ts'
import { layersOf } from '../calls.ts'
import { checkTree } from '../checks.ts'
import { fileLayer, whiteoutLayer } from '../layers.ts'
import { Broken } from '../report.ts'
import { runChild } from '../run-child.ts'

export const together: Case = {
  name: 'two at once',
  contract:
    'Two processes unpack the same new image at the same time: both succeed, and each layer is extracted by only one of them.',
  needs: [],
  async run(bench) {
    const image = await bench.newImage(whiteoutLayer(), fileLayer('added', 'added'))
    const bundles = [bench.newBundle(), bench.newBundle()]
    const results = await Promise.all(
      bundles.map((destination) =>
        runChild({ hooks: bench.file, image: image.reference, destination }, bench.stop.signal)
      )
    )
    for (const { calls, end } of results) {
      bench.calls.push(...calls)
      if (end.kind === 'failed') throw end.error
    }
    for (const bundle of bundles) checkTree(join(bundle, 'rootfs'), image, 'After both unpacks')
    if (bench.set.extract === 'rootfs') return
    const extracted = results.flatMap(({ calls }) => layersOf(calls, 'pre-extract'))
    if (extracted.length !== image.layers)
      throw new Broken({
        asked:
          'unpack.ociv1.layer.try-skip, by the process that came second, after the first had committed the layer',
        seen: `Both together extracted ${extracted.length} layers of an image that has ${image.layers}.`
      })
  }
}
