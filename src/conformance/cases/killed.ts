/** The cases in which the process is killed. */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { OciUnpackError } from '../../errors.ts'
import type { Bench, Image, Unpacked } from '../bench.ts'
import type { Case } from '../case.ts'
import { describeCall } from '../calls.ts'
import { checkTree } from '../checks.ts'
import { whiteoutLayer } from '../layers.ts'
import { Broken } from '../report.ts'
import { runChild, type ChildTask } from '../run-child.ts'
import { checkCommitted } from './committed.ts'

/** A set that never finishes is stopped after this many calls. */
const MOST_CALLS = 200
/** How long a hook may keep working after its engine has died. */
const ORPHAN_MS = 120_000
const PAUSE_MS = 50

export const killed: Case = {
  name: 'killed after every call',
  contract:
    'Whenever the process dies, no incomplete layer counts as committed, and the next unpack to the same place succeeds: ' +
    'only post-extract commits a layer, in one step and permanently, and abort undoes whatever it finds.',
  needs: [],
  run: (bench) => untilItEnds(bench, (call) => ({ killAfter: call }))
}

export const killedDuring: Case = {
  name: 'killed during every call',
  contract:
    'A hook may outlive the process. No other process takes its place until the hook and everything that it started have ' +
    'ended. Then the next unpack to the same place succeeds.',
  needs: [],
  run: (bench) => untilItEnds(bench, (call) => ({ killDuring: call }))
}

type Kill = Pick<ChildTask, 'killAfter' | 'killDuring'>

async function untilItEnds(bench: Bench, killAt: (call: number) => Kill): Promise<void> {
  for (let call = 1; call <= MOST_CALLS; call++) if (await survives(bench, killAt(call))) return
}

/** Whether the unpack finished before it was killed. */
async function survives(bench: Bench, kill: Kill): Promise<boolean> {
  bench.calls = []
  const image = await bench.newImage(whiteoutLayer())
  const bundle = bench.newBundle()
  const task = { hooks: bench.file, image: image.reference, destination: bundle, ...kill }
  const { calls, end } = await runChild(task, bench.stop.signal)
  bench.calls.push(...calls)
  if (end.kind === 'failed') throw end.error
  if (end.kind === 'killed') {
    const asked =
      end.during === undefined
        ? `${describeCall(calls.at(-1)!)}; then the process was killed (call ${calls.length})`
        : `${end.during}; meanwhile the process was killed (call ${calls.length + 1})`
    await explaining(asked, async () => {
      const again = await unpackWhenFree(bench, image, bundle)
      await checkCommitted(bench, again)
      checkTree(again.rootfs, image, 'After the second unpack')
    })
  } else checkTree(join(bundle, 'rootfs'), image, 'After the unpack')
  await bench.tidy()
  return end.kind === 'done'
}

/** The place stays busy as long as the dead process's hook is working. */
async function unpackWhenFree(bench: Bench, image: Image, bundle: string): Promise<Unpacked> {
  for (const start = performance.now(); ;) {
    try {
      return await bench.unpack(image, bundle)
    } catch (error) {
      const isBusy = error instanceof OciUnpackError && error.code === 'BUNDLE_EXISTS'
      if (!isBusy || performance.now() - start > ORPHAN_MS) throw error
    }
    await setTimeout(PAUSE_MS, undefined, bench.stop)
  }
}

/** Attributes whatever goes wrong after the crash to the call before it. */
async function explaining(asked: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    throw new Broken({ ...error.failure, asked })
  }
}
