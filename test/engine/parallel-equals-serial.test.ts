import * as fc from 'fast-check'
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { assemble } from '../../src/plan/assemble.ts'
import { LayerStack } from '../../src/plan/layer-stack.ts'
import { apply } from '../../src/rootfs/apply.ts'
import { maskedStack } from '../reference/random-layers.ts'
import { applySerially, type Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { outcome, IMPLICIT } from '../reference/staged-layer.ts'
import { stageStack, type SkipCounts } from '../reference/staged-stack.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 100)

const counts: SkipCounts = { skipped: 0, again: 0 }

/** The layers and the order in which they are staged, which decides what is known of those above. */
const stacksInOrder = maskedStack.chain((layers) =>
  fc.tuple(
    fc.constant(layers),
    fc.oneof(
      fc.constant([...layers.keys()].toReversed()),
      fc.shuffledSubarray([...layers.keys()], { minLength: layers.length })
    )
  )
)

test.runIf(needs('root')).each([false, true])(
  'staging layers apart and joining them equals applying them in order (keepDirlinks %s)',
  (keepDirlinks) => {
    const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
    console.log(`layer stacks: ${runs} runs, seed ${seed}`)
    Object.assign(counts, { skipped: 0, again: 0 })
    fc.assert(
      fc.property(stacksInOrder, ([layers, order]) =>
        withScratch((_, scratch) => compare(scratch, layers, order, keepDirlinks))
      ),
      { seed, numRuns: runs }
    )
    expect(counts.skipped).toBeGreaterThan(runs)
    expect(counts.again).toBeGreaterThan(runs / 100)
  }
)

function compare(
  scratch: string,
  layers: Member[][],
  order: readonly number[],
  keepDirlinks: boolean
): void {
  const serial = outcome(() => {
    applySerially(`${scratch}/serial`, layers, keepDirlinks)
    return snapshot(`${scratch}/serial`)
  })
  const staged = outcome(() => {
    applyStaged(scratch, layers, order, keepDirlinks)
    return snapshot(`${scratch}/work/rootfs`)
  })
  expect(staged).toBe(serial)
}

function applyStaged(
  scratch: string,
  layers: Member[][],
  order: readonly number[],
  keepDirlinks: boolean
): void {
  mkdirSync(`${scratch}/work/trash`, { recursive: true })
  const stack = new LayerStack({ keepDirlinks })
  const workspace = `${scratch}/work`
  const { skipped, again } = stageStack(stack, { workspace, inside: '' }, layers, order)
  counts.skipped += skipped
  counts.again += again
  const operations = assemble({
    root: stack.root,
    workspace: stack.workspace,
    target: 'rootfs',
    trash: stack.makePhysical('trash')
  })
  withOpen(`${scratch}/work`, (workspace) =>
    apply(workspace, operations, { implicit: IMPLICIT, onLostXattr: () => undefined })
  )
}
