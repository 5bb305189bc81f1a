/** An unpack over a tree, from staged layers to the join, without threads: so that it can be stopped anywhere. */
import * as fs from 'node:fs'
import { fromText } from '../../src/bytes.ts'
import { keepTimes, shedInheritance } from '../../src/engine/place/keep-times.ts'
import { assemble } from '../../src/plan/assemble.ts'
import { LayerStack } from '../../src/plan/layer-stack.ts'
import type { Operation } from '../../src/plan/operations.ts'
import { readExisting } from '../../src/rootfs/existing.ts'
import type { JournaledWorkspace } from '../../src/rootfs/journal.ts'
import { removeTree } from '../../src/sys/remove-tree.ts'
import { withOpen } from '../support/open-directory.ts'
import type { Member } from './serial.ts'
import { stageStack } from './staged-stack.ts'

/** Its name in the tree. */
export const WORKSPACE = '.workspace'

export interface StagedOver {
  /** Of the tree. */
  planRoot: number
  workspace: JournaledWorkspace
  operations: Operation[]
}

/** Stages the layers in a workspace in `root`, runs `work` with the plan and removes the workspace. */
export function withStagedOver(
  root: string,
  layers: readonly (readonly Member[])[],
  keepDirlinks: boolean,
  work: (staged: StagedOver) => void
): void {
  withOpen(root, (planRoot) => {
    keepTimes(planRoot, () => fs.mkdirSync(`${root}/${WORKSPACE}`))
    try {
      withOpen(`${root}/${WORKSPACE}`, shedInheritance)
      fs.mkdirSync(`${root}/${WORKSPACE}/trash`)
      const operations = plan(root, planRoot, layers, keepDirlinks)
      withOpen(`${root}/${WORKSPACE}`, (fd) =>
        work({ planRoot, workspace: { fd, path: WORKSPACE }, operations })
      )
    } finally {
      keepTimes(planRoot, () => removeTree(planRoot, WORKSPACE))
    }
  })
}

function plan(
  root: string,
  planRoot: number,
  layers: readonly (readonly Member[])[],
  keepDirlinks: boolean
): Operation[] {
  const stack = new LayerStack({ keepDirlinks })
  const tree = { fd: planRoot, path: fromText(root), skip: new Set([WORKSPACE]) }
  readExisting(tree, (entry, inode, mounted) => stack.addExisting(entry, inode, mounted))
  const topDown = [...layers.keys()].toReversed()
  stageStack(stack, { workspace: root, inside: WORKSPACE }, layers, topDown)
  const trash = stack.makePhysical(`${WORKSPACE}/trash`)
  return assemble({ root: stack.root, workspace: stack.workspace, target: '', trash })
}
