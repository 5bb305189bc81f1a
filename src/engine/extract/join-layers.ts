/** Joining the staged layers into one tree. */
import { display, fromText } from '../../bytes.ts'
import { assemble } from '../../plan/assemble.ts'
import type { LayerStack } from '../../plan/layer-stack.ts'
import { assertMountsStay } from '../../plan/mounts.ts'
import type { Operation } from '../../plan/operations.ts'
import { apply, type ApplyOptions } from '../../rootfs/apply.ts'
import type { OnLostXattr } from '../../rootfs/write-metadata.ts'
import { applyWithJournal } from '../../rootfs/journal.ts'
import { openUpFor } from '../../rootfs/open-up.ts'
import { removeTree } from '../../sys/remove-tree.ts'
import { makeDirectory } from '../../sys/names.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { whileLending } from '../place/lent-modes.ts'
import type { OnEvent } from '../operation/events.ts'
import { layerTrash, type PlanRoot } from './plan-root.ts'

/** Joins the staged layers into `target` and removes what is left of their staging. */
export function joinLayers(
  planRoot: PlanRoot,
  stack: LayerStack,
  target: string,
  how: Pick<ApplyOptions, 'implicit' | 'write' | 'discards'>,
  onEvent: OnEvent
): void {
  const trash = layerTrash(planRoot)
  makeDirectory(planRoot.fd, trash, PRIVATE_MODE)
  const operations = assemble({
    root: stack.root,
    workspace: stack.workspace,
    target,
    trash: stack.makePhysical(trash)
  })
  assertMountsStay(stack.mounts, operations, fromText(planRoot.path))
  carryOut(planRoot, operations, { ...how, onLostXattr: reportLostXattr(onEvent) })
  removeTree(planRoot.fd, planRoot.staging)
}

/** Over a tree that exists, or in a new one, where a finished directory may have to be entered for a hard link. */
function carryOut(
  { fd, staging, ledger, journal }: PlanRoot,
  operations: readonly Operation[],
  options: ApplyOptions
): void {
  if (journal !== undefined) applyWithJournal(journal, fd, operations, { ...options, ledger })
  else if (ledger !== undefined) {
    openUpFor(fd, operations, fromText(staging), ledger)
    apply(fd, operations, { ...options, ledger })
  } else whileLending(fd, '', (inMemory) => apply(fd, operations, { ...options, ledger: inMemory }))
}

export function reportLostXattr(onEvent: OnEvent): OnLostXattr {
  return (entry, xattr) => onEvent(lostXattr(display(entry.path), display(xattr)))
}

export function lostXattr(entry: string, xattr: string): Parameters<OnEvent>[0] {
  return {
    type: 'warning',
    message: 'This file system cannot hold an extended attribute of the image.',
    facts: { entry, found: xattr }
  }
}
