/**
 * Applies a plan to an existing tree, entirely or not at all. What is needed to undo each operation is first written to
 * the workspace, so that the next run can undo one that was killed.
 */
import type { ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { Operation } from '../plan/operations.ts'
import { planUndo, type Undo } from '../plan/undo.ts'
import { close } from '../sys/files.ts'
import { findLedger, forgetReplaced } from '../sys/ledger.ts'
import { apply, type ApplyOptions } from './apply.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { JournalFile, readJournal } from './journal-file.ts'
import { announceModes, openUp } from './open-up.ts'
import { remember, type Remembered } from './remembered.ts'
import { tolerate, Undoer } from './undoer.ts'

/** A private directory in the tree that is changed; every new object comes from it. */
export interface JournaledWorkspace {
  fd: number
  /** Its path in the tree. */
  path: ByteString
}

/**
 * Carries out the operations. If one fails, all before it are undone and the tree is as it was; only the modes in the
 * ledger are still to be put back, by its owner.
 * @param root descriptor of the tree's root, which the paths are relative to
 */
export function applyWithJournal(
  workspace: JournaledWorkspace,
  root: number,
  operations: readonly Operation[],
  options: ApplyOptions
): void {
  if (operations.length === 0) return
  const { ledger } = options
  const plan = planUndo(operations, workspace.path)
  if (ledger !== undefined) openUp(root, plan, ledger)
  const journal = writeJournal(workspace.fd, root, plan)
  try {
    if (ledger !== undefined) announceModes(operations, ledger)
    apply(root, operations, { ...options, onBegin: (index) => journal.begun(index + 1) })
    journal.remove()
  } catch (error) {
    undoAfter(error, workspace.fd, root)
    throw error
  } finally {
    journal.close()
  }
}

/** Writes down how to undo the operations, before any has begun. The caller closes the journal. */
export function createJournal(
  workspace: JournaledWorkspace,
  root: number,
  operations: readonly Operation[]
): JournalFile {
  return writeJournal(workspace.fd, root, planUndo(operations, workspace.path))
}

function writeJournal(workspace: number, root: number, { steps, remembered }: Undo): JournalFile {
  const cursor = new DirectoryCursor(root)
  try {
    const before = new Map<ByteString, Remembered>()
    for (const [path, all] of remembered)
      before.set(path, remember(cursor.at(parentPath(path)), baseName(path), all))
    return JournalFile.create(workspace, { steps, remembered: before })
  } finally {
    cursor.release()
  }
}

function undoAfter(error: unknown, workspace: number, root: number): void {
  try {
    undo(workspace, root)
  } catch (second) {
    const known = second instanceof OciUnpackError ? second : undefined
    throw new OciUnpackError(
      'SYSCALL_FAILED',
      'Unpacking failed, and its changes could not be undone.',
      {
        facts: { ...known?.facts, reason: known?.message ?? String(second) },
        hint: 'What is missing is in the hidden directory .oci-unpack-… of the target; the next run will put it back.',
        cause: error
      }
    )
  }
}

/**
 * Undoes what the journal of a workspace lists as begun but not finished, and says whether there was anything to undo.
 * It can be interrupted anywhere and called again.
 * @param root descriptor of the tree's root
 * @throws SYSCALL_FAILED if something else now is where an object must be put back; the object stays in the workspace
 */
export function undo(workspace: number, root: number): boolean {
  const journal = readJournal(workspace)
  if (journal === undefined) return false
  const file = JournalFile.open(workspace)
  const undoer = new Undoer(root, journal)
  try {
    for (let count = journal.begun; count > 0; count--) {
      undoer.takeBack(journal.steps[count - 1]!, count === journal.begun)
      // a full disk may have no room for this write, but undoing can still go on
      tolerate(FULL, () => file.begun(count - 1))
    }
    undoer.restoreTimes()
    endModes(workspace, root)
    file.remove()
  } finally {
    undoer.release()
    file.close()
  }
  return true
}

/** As long as there is a journal, the modes that the plan sets do not count. Afterwards, the ledger must not list them. */
function endModes(workspace: number, root: number): void {
  const ledger = findLedger(workspace, root)
  if (ledger === undefined) return
  try {
    forgetReplaced(ledger)
  } finally {
    close(ledger.file)
  }
}

const FULL = ['ENOSPC', 'EDQUOT', 'EIO']
