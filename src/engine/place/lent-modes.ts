/**
 * Modes that an operation changes for as long as it needs to, because they keep the user out of the user's own files
 * (`sys/ledger.ts`). A process that modes do not keep out has no ledger, and none of this costs it anything.
 */
import type { ByteString } from '../../bytes.ts'
import { isErrno } from '../../sys/failure.ts'
import { ledgerInMemory, type Ledger } from '../../sys/ledger.ts'
import { closeLedger } from '../../sys/put-modes-back.ts'
import { close, openDirectory } from '../../sys/files.ts'
import { privileges } from '../../sys/privileges.ts'
import { awaitClaim } from '../../workspace/claim.ts'
import { pause } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'
import { InsideWorkspace } from './inside-workspace.ts'
import { keepTimes } from './keep-times.ts'
import { tidy } from './tidy.ts'
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
 * Runs `act` while no other process that lends works in the tree: it would take lent modes for the tree's own. The modes must be
 * put back before this ends.
 * @param tree path of the tree in the directory `base`
 */
export async function whileAlone<T>(
  { base, tree, signal }: { base: number; tree: ByteString; signal: AbortSignal | undefined },
  act: () => Promise<T>
): Promise<T> {
  const fd = privileges().overridesModes ? undefined : openIfReadable(base, tree)
  if (fd === undefined) return act()
  try {
    await awaitClaim(fd, 'exclusive', () => pause(signal))
    return await act()
  } finally {
    close(fd)
  }
}

/** A tree whose root cannot be opened cannot be locked. */
function openIfReadable(base: number, tree: ByteString): number | undefined {
  try {
    return openDirectory(base, tree === '' ? '.' : tree)
  } catch (error) {
    if (isErrno(error, 'EACCES', 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined
    throw error
  }
}

/**
 * Works in a tree of the user's that is not ours: alone, and with a ledger in the directory above it. Modes that a dead process
 * had changed are put back first.
 * @param name of the tree in `directory`, which is at `path`; `''` if it has no directory above it
 */
export async function whileLendingBeside<T>(
  { directory, path, name, signal, onEvent }: TreeOfUser,
  act: (ledger: Ledger | undefined) => Promise<T>
): Promise<T> {
  if (privileges().overridesModes) return act(undefined)
  return whileAlone({ base: directory, tree: name, signal }, () => {
    if (name === '') return whileLendingAsync(directory, name, act)
    keepTimes(directory, () => tidy(directory, path, onEvent))
    return whileLendingIn({ directory, path, tree: name }, onEvent, (ledger) =>
      ledger === undefined ? whileLendingAsync(directory, name, act) : act(ledger)
    )
  })
}

export interface TreeOfUser {
  directory: number
  path: string
  name: ByteString
  signal: AbortSignal | undefined
  onEvent: OnEvent
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
