/** The case in which an unpack fails. */
import { existsSync } from 'node:fs'
import { OciUnpackError } from '../../errors.ts'
import type { HookSet } from '../../hooks/calls.ts'
import type { Bench } from '../bench.ts'
import { callsOf, describeCall, layerOf, layersOf, targetOf } from '../calls.ts'
import type { Case } from '../case.ts'
import { checkTree } from '../checks.ts'
import { fileLayer, whiteoutLayer } from '../layers.ts'
import { Broken } from '../report.ts'

const LAYER = 1

export const failing: Case = {
  name: 'failing post-extract',
  contract:
    'When an unpack fails, abort removes whatever pre-extract made and was not committed. The layer is not committed.',
  needs: ['post-extract'],
  async run(bench) {
    const image = await bench.newImage(whiteoutLayer(), fileLayer('added', 'added'))
    const bundle = bench.newBundle()
    await expectFailure(bench.unpack(image, bundle, failingAt(LAYER)))
    checkAborted(bench, bundle)
    const again = await bench.unpack(image, bundle)
    checkTree(again.rootfs, image, 'After the unpack that followed')
    if (layersOf(again.calls, 'pre-extract').includes(LAYER)) return
    throw new Broken({
      asked: callsOf(again.calls, 'try-skip').map(describeCall).join('\n'),
      seen: `Layer ${LAYER} was skipped, though its post-extract was never called.`
    })
  }
}

class Planned extends OciUnpackError {}

/** Does not call the hook, as if it had failed before doing anything. */
function failingAt(layer: number): (set: HookSet) => HookSet {
  return (set) => ({
    ...set,
    call(point, context, signal) {
      if (point === 'post-extract' && 'index' in context && context.index === layer)
        throw new Planned('HOOK_FAILED', 'The kit lets this call fail.')
      return set.call(point, context, signal)
    }
  })
}

async function expectFailure(unpack: Promise<unknown>): Promise<void> {
  try {
    await unpack
  } catch (error) {
    if (error instanceof OciUnpackError && error.message === 'The kit lets this call fail.') return
    throw error
  }
  throw new Broken({ seen: 'The unpack continued without this post-extract.' })
}

function checkAborted(bench: Bench, bundle: string): void {
  const committed = callsOf(bench.calls, 'post-extract').filter(
    ({ outcome }) => outcome.status === 'yes'
  )
  const done = committed.map(layerOf)
  const staged = callsOf(bench.calls, 'pre-extract').filter((call) => !done.includes(layerOf(call)))
  const left = staged.flatMap((call) => targetOf(call) ?? []).filter((path) => existsSync(path))
  const asked = callsOf(bench.calls, 'abort').map(describeCall).join('\n')
  if (left.length > 0)
    throw new Broken({
      asked: asked === '' ? 'unpack.ociv1.abort, if the set had one' : asked,
      seen: `What pre-extract made is still there: ${left.join(', ')}`
    })
  if (existsSync(bundle)) throw new Broken({ asked, seen: `Something is left in ${bundle}.` })
}
