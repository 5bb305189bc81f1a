import * as fc from 'fast-check'
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { assemble } from '../../src/plan/assemble.ts'
import { LayerStack } from '../../src/plan/layer-stack.ts'
import { apply } from '../../src/rootfs/apply.ts'
import { layerStack } from '../reference/random-layers.ts'
import { applySerially, type Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { outcome, stageLayer, IMPLICIT } from '../reference/staged-layer.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 300)

test.runIf(needs('root')).each([false, true])(
  'staging layers apart and joining them equals applying them in order (keepDirlinks %s)',
  (keepDirlinks) => {
    const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
    console.log(`layer stacks: ${runs} runs, seed ${seed}`)
    fc.assert(
      fc.property(layerStack, (layers) =>
        withScratch((_, scratch) => compare(scratch, layers, keepDirlinks))
      ),
      { seed, numRuns: runs }
    )
  }
)

function compare(scratch: string, layers: Member[][], keepDirlinks: boolean): void {
  const serial = outcome(() => {
    applySerially(`${scratch}/serial`, layers, keepDirlinks)
    return snapshot(`${scratch}/serial`)
  })
  const staged = outcome(() => {
    applyStaged(scratch, layers, keepDirlinks)
    return snapshot(`${scratch}/work/rootfs`)
  })
  expect(staged).toBe(serial)
}

function applyStaged(scratch: string, layers: Member[][], keepDirlinks: boolean): void {
  mkdirSync(`${scratch}/work/trash`, { recursive: true })
  const stack = new LayerStack({ keepDirlinks })
  layers.forEach((layer, index) => {
    const staging = `${scratch}/work/${index}`
    mkdirSync(staging)
    const folder = stack.layer(index, String(index))
    for (const entry of stageLayer(staging, layer)) folder.add(entry)
  })
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
