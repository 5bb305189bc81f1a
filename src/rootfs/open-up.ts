/** Opens up the directories of an existing tree that a plan is going to change, for a user whom their modes keep out. */
import type { ByteString } from '../bytes.ts'
import { joinPath, parentPath } from '../plan/names.ts'
import type { Operation } from '../plan/operations.ts'
import { planUndo, type Undo } from '../plan/undo.ts'
import { keepsUsOut, TO_CHANGE } from '../sys/kept-out.ts'
import { noteReplaced, type Ledger } from '../sys/ledger.ts'
import { status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { nameIn } from './own-directory.ts'

/**
 * Opens them up where they are before the first operation: directories in which something changes, and those that are
 * moved. They stay so until the plan is carried out or undone.
 */
export function openUp(
  root: number,
  { remembered, moved }: Pick<Undo, 'remembered' | 'moved'>,
  ledger: Ledger
): void {
  const cursor = new DirectoryCursor(root, ledger)
  try {
    // Sorted, those in one directory come together.
    const paths = [...new Set([...remembered.keys(), ...moved])].sort()
    const closed = paths.filter((path) => {
      const found = status(cursor.at(parentPath(path)), nameIn(path))
      return found.type === 'directory' && keepsUsOut(found, TO_CHANGE)
    })
    cursor.lender!.openUpAll(closed)
  } finally {
    cursor.release()
  }
}

/** Notes which modes the plan itself sets. Called when all is ready for the first operation. */
export function announceModes(operations: readonly Operation[], ledger: Ledger): void {
  noteReplaced(
    ledger,
    operations.flatMap((each) => {
      const sets = each.op === 'write-directory-metadata' || each.op === 'set-mode'
      return sets ? [joinPath(ledger.at, each.path)] : []
    })
  )
}

/** Both, for a tree that is given up after a failure. @param workspace path below which everything is new */
export function openUpFor(
  root: number,
  operations: readonly Operation[],
  workspace: ByteString,
  ledger: Ledger
): void {
  openUp(root, planUndo(operations, workspace), ledger)
  announceModes(operations, ledger)
}
