import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import type { Case } from '../case.ts'
import { describeCall } from '../calls.ts'
import { checkTree } from '../checks.ts'
import { whiteoutLayer } from '../layers.ts'
import { Broken } from '../report.ts'
import { runChild } from '../run-child.ts'
import { checkCommitted } from './committed.ts'

/** A set that never comes to an end is stopped here. */
const MOST_CALLS = 200

export const killed: Case = {
  name: 'killed after every call',
  contract:
    'Whenever the process dies, no layer is taken for committed that is not whole, and the next unpack to the same place ' +
    'succeeds: only post-extract commits, at once and for good, and abort undoes what it finds.',
  needs: [],
  async run(bench) {
    for (let killAfter = 1; killAfter <= MOST_CALLS; killAfter++)
      if (await survives(bench, killAfter)) return
  }
}

/** Whether the unpack came to its end before it was killed. */
async function survives(bench: Bench, killAfter: number): Promise<boolean> {
  bench.calls = []
  const image = await bench.newImage(whiteoutLayer())
  const bundle = bench.newBundle()
  const task = { hooks: bench.file, image: image.reference, destination: bundle, killAfter }
  const { calls, end } = await runChild(task, bench.stop.signal)
  bench.calls.push(...calls)
  if (end.kind === 'failed') throw end.error
  if (end.kind === 'killed') {
    const asked = `${describeCall(calls.at(-1)!)}; then the process was killed (call ${killAfter})`
    await explaining(asked, async () => {
      const again = await bench.unpack(image, bundle)
      await checkCommitted(bench, again)
      checkTree(again.rootfs, image, 'After the second unpack')
    })
  } else checkTree(join(bundle, 'rootfs'), image, 'After the unpack')
  await bench.tidy()
  return end.kind === 'done'
}

/** What goes wrong after the crash is put down to the call before it. */
async function explaining(asked: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    throw new Broken({ ...error.failure, asked })
  }
}
