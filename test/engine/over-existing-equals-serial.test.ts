import * as fc from 'fast-check'
import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Operation } from '../../src/plan/operations.ts'
import { apply } from '../../src/rootfs/apply.ts'
import { applyWithJournal, createJournal, undo } from '../../src/rootfs/journal.ts'
import { crowdedStack } from '../reference/random-layers.ts'
import { buildTree, existingTree, type TreeNode } from '../reference/random-trees.ts'
import { applySeriallyOver, type Member } from '../reference/serial.ts'
import { identitySnapshot, snapshot } from '../reference/snapshot.ts'
import { outcome, IMPLICIT } from '../reference/staged-layer.ts'
import { withStagedOver, WORKSPACE, type StagedOver } from '../reference/staged-over.ts'
import { makeWithin, mountNew, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { removeTemporary } from '../support/temporary.ts'

const OPTIONS = { implicit: IMPLICIT, onLostXattr: () => undefined }

const canRun = needs('root', 'mounts')
let memory: Mounted | undefined
beforeAll(() => {
  if (canRun) memory = mountNew('tmpfs')
})
afterAll(() => memory?.release())

/** Each case has a tree in `scratch/tree` and its layers. */
function property(
  what: string,
  usual: number,
  check: (scratch: string, layers: Member[][], tree: TreeNode, keepDirlinks: boolean) => void
): void {
  const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
  const more = process.env['OCI_UNPACK_PROPERTY_RUNS']
  const numRuns = more === undefined ? usual : Number(more)
  console.log(`${what}: ${numRuns} runs, seed ${seed}`)
  fc.assert(
    fc.property(crowdedStack, existingTree, fc.boolean(), (layers, tree, keepDirlinks) =>
      inMemory((scratch) => {
        buildTree(`${scratch}/tree`, tree)
        check(scratch, layers, tree, keepDirlinks)
      })
    ),
    { seed, numRuns }
  )
}

function inMemory(work: (scratch: string) => void): void {
  const scratch = makeWithin(memory!)
  try {
    work(scratch)
  } finally {
    removeTemporary(scratch)
  }
}

/** What applying one layer after another, entry by entry, makes of the tree. */
function serial(
  scratch: string,
  layers: Member[][],
  tree: TreeNode,
  keepDirlinks: boolean
): string {
  return outcome(() => {
    mkdirSync(`${scratch}/reference`)
    buildTree(`${scratch}/reference/tree`, tree)
    applySeriallyOver(`${scratch}/reference/tree`, layers, keepDirlinks)
    return snapshot(`${scratch}/reference/tree`)
  })
}

function join({ workspace, planRoot, operations }: StagedOver): void {
  applyWithJournal(workspace, planRoot, operations, OPTIONS)
}

test.runIf(canRun)('over a tree, the result is that of applying layer after layer', () =>
  property('trees with layers on top', 100, (scratch, layers, tree, keepDirlinks) => {
    const staged = outcome(() => {
      withStagedOver(`${scratch}/tree`, layers, keepDirlinks, join)
      return snapshot(`${scratch}/tree`)
    })
    expect(staged).toBe(serial(scratch, layers, tree, keepDirlinks))
  })
)

test.runIf(canRun)('a chain of states ends in the same tree', () =>
  property('chains of states', 100, (scratch, layers, tree, keepDirlinks) => {
    const chained = outcome(() => {
      for (const layer of layers)
        withStagedOver(`${scratch}/tree`, [layer], keepDirlinks, ({ planRoot, operations }) =>
          apply(planRoot, operations, OPTIONS)
        )
      return snapshot(`${scratch}/tree`)
    })
    expect(chained).toBe(serial(scratch, layers, tree, keepDirlinks))
  })
)

test.runIf(canRun)('an operation that fails leaves the tree as it was', () =>
  property('failures', 20, (scratch, layers, _tree, keepDirlinks) => {
    const before = identitySnapshot(`${scratch}/tree`)
    stopEverywhere(scratch, layers, keepDirlinks, ({ workspace, planRoot, operations }, count) => {
      const impossible: Operation = { op: 'move', from: 'is not', to: 'there' }
      const failing = operations.toSpliced(count, 0, impossible)
      expect(() => applyWithJournal(workspace, planRoot, failing, OPTIONS)).toThrow(
        'does not exist'
      )
      expect(undo(workspace.fd, planRoot)).toBe(false)
    })
    expect(identitySnapshot(`${scratch}/tree`)).toBe(before)
  })
)

test.runIf(canRun)('what a killed run had begun is undone, wherever it was killed', () =>
  property('kills', 20, (scratch, layers, _tree, keepDirlinks) => {
    const before = identitySnapshot(`${scratch}/tree`)
    stopEverywhere(scratch, layers, keepDirlinks, (staged, count) => {
      for (const inDoubt of count < staged.operations.length ? [0, 1] : [0]) {
        beginAndStop(staged, count, count + inDoubt)
        expect(undo(staged.workspace.fd, staged.planRoot)).toBe(true)
        expect(undo(staged.workspace.fd, staged.planRoot)).toBe(false)
      }
    })
    expect(identitySnapshot(`${scratch}/tree`)).toBe(before)
  })
)

/** Calls `stop` with every number of operations, and compares the tree after each. */
function stopEverywhere(
  scratch: string,
  layers: Member[][],
  keepDirlinks: boolean,
  stop: (staged: StagedOver, count: number) => void
): void {
  outcome(() => {
    withStagedOver(`${scratch}/tree`, layers, keepDirlinks, (staged) => {
      if (staged.operations.length === 0) return
      const before = besideWorkspace(`${scratch}/tree`)
      for (let count = 0; count <= staged.operations.length; count++) {
        stop(staged, count)
        expect(besideWorkspace(`${scratch}/tree`)).toBe(before)
      }
    })
    return ''
  })
}

function besideWorkspace(tree: string): string {
  const lines = identitySnapshot(tree).split('\n')
  return lines.filter((line) => !line.startsWith(`./${WORKSPACE}`)).join('\n')
}

/** As a process that is killed leaves it: `begun` operations in the journal, `done` carried out. */
function beginAndStop(
  { workspace, planRoot, operations }: StagedOver,
  done: number,
  begun: number
) {
  const journal = createJournal(workspace, planRoot, operations)
  apply(planRoot, operations.slice(0, done), OPTIONS)
  journal.begun(begun)
  journal.close()
}
