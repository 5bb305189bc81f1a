/**
 * Modes that an operation changes for as long as it needs to, because they keep the user out of the user's own files
 * (`sys/ledger.ts`). A process that modes do not keep out has no ledger, and none of this costs it anything.
 */
import type { ByteString } from '../../bytes.ts'
import { isErrno } from '../../sys/failure.ts'
import { ledgerInMemory, type Ledger } from '../../sys/ledger.ts'
import { closeLedger } from '../../sys/put-modes-back.ts'
import { privileges } from '../../sys/privileges.ts'
import type { OnEvent } from '../operation/events.ts'
import { InsideWorkspace } from './inside-workspace.ts'
import { whileOpen } from './with-workspace.ts'

/**
 * Runs `act` with a ledger in memory, for a tree that nobody else uses and that a crash leaves to be removed as a whole,
 * or for one in which no file may be made.
 * @param tree path of the tree in the directory `base`
 */
export function whileLending<T>(
  base: number,
  tree: ByteString,
  act: (ledger: Ledger | undefined) => T
): T {
  if (privileges().overridesModes) return act(undefined)
  const ledger = ledgerInMemory(base, tree)
  try {
    return act(ledger)
  } finally {
    closeLedger(ledger)
  }
}

/** The same for what takes its time. */
export async function whileLendingAsync<T>(
  base: number,
  tree: ByteString,
  act: (ledger: Ledger | undefined) => Promise<T>
): Promise<T> {
  if (privileges().overridesModes) return act(undefined)
  const ledger = ledgerInMemory(base, tree)
  try {
    return await act(ledger)
  } finally {
    closeLedger(ledger)
  }
}

/**
 * Runs `act` with a ledger in a private directory in `directory`, which the caller has locked for itself: `tidy` puts
 * the modes back if this process dies. No ledger where no such directory can be made: then what modes forbid is an error.
 * @param tree path of the tree in that directory
 */
export async function whileLendingIn<T>(
  { directory, path, tree }: { directory: number; path: string; tree: ByteString },
  onEvent: OnEvent,
  act: (ledger: Ledger | undefined) => Promise<T>
): Promise<T> {
  const workspace = privileges().overridesModes ? undefined : workspaceIn(directory, path, tree)
  if (workspace === undefined) return act(undefined)
  return whileOpen(workspace, onEvent, () => act(workspace.existing.ledger))
}

function workspaceIn(
  directory: number,
  path: string,
  tree: ByteString
): InsideWorkspace | undefined {
  try {
    return new InsideWorkspace(directory, path, tree)
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) return undefined
    throw error
  }
}
