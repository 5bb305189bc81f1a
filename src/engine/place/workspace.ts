/**
 * The private directory that an operation works in, on the file system of what it makes, and how the result is
 * published from it: entirely or not at all. A failure removes the workspace and nothing else.
 */
import { statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { display, fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { joinPath } from '../../plan/names.ts'
import type { Operation } from '../../plan/operations.ts'
import { applyWithJournal, undo } from '../../rootfs/journal.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
import { openDestination } from '../../sys/destination.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { renameNew } from '../../sys/names.ts'
import { openOrMakeDirectory } from '../../sys/operator-directory.ts'
import { orTryAgain } from '../../sys/try-again.ts'
import { claim } from '../../workspace/claim.ts'
import { PRIVATE, removeLeftovers } from '../../workspace/leftovers.ts'
import {
  makePrivateDirectory,
  PRIVATE_MODE,
  type PrivateDirectory
} from '../../workspace/private-directory.ts'
import { isPrivateNameFor, privateName } from '../../workspace/private-name.ts'
import type { OnEvent } from '../operation/events.ts'
import { recoverRefresh } from './refresh-note.ts'
import { keepTimes, shedInheritance } from './keep-times.ts'
import { implicitDirectory } from '../../plan/implicit-directory.ts'

export interface Workspace {
  /** Open handle of the directory, and a path that leads through it. */
  readonly fd: number
  readonly path: string
  /** Where the result goes: absolute. */
  readonly destination: string
  /** The destination, if it existed before: it is added to, never replaced. */
  readonly existing: ExistingDestination | undefined
  /**
   * Publishes the result: the workspace itself becomes the destination or, if that exists, `names` are moved into it
   * one by one, so the name that makes it complete should be the last.
   */
  publish(names: readonly ByteString[]): void
  /** Makes the directory `name` in the workspace the destination, which must not exist. */
  publishOnly(name: ByteString): void
}

export interface ExistingDestination {
  readonly fd: number
  /** The workspace's name in it. */
  readonly workspaceName: ByteString
}

/**
 * Runs `act` in a new workspace for `destination`; whatever happens, the workspace is removed afterwards. Leftovers of
 * dead processes are removed first. A destination that exists is locked meanwhile.
 * @throws BUNDLE_EXISTS if it is not a directory, or another process works in it
 */
export async function withWorkspace<T>(
  destination: string,
  onEvent: OnEvent,
  act: (workspace: Workspace) => Promise<T>
): Promise<T> {
  const path = resolve(destination)
  if (!isDirectory(path)) return withNewPlace(path, onEvent, act)
  const directory = openDestination(path)
  try {
    const real = withoutHandles(handlePath(directory))
    assertFree(directory, real)
    tidyBeside(real, onEvent)
    return await withWorkspaceIn(directory, real, onEvent, act)
  } finally {
    close(directory)
  }
}

/** The same in an open directory that the caller has locked. */
export async function withWorkspaceIn<T>(
  directory: number,
  path: string,
  onEvent: OnEvent,
  act: (workspace: Workspace) => Promise<T>
): Promise<T> {
  keepTimes(directory, () => tidy(directory, path, onEvent))
  return whileOpen(new InsideWorkspace(directory, path), onEvent, act)
}

async function withNewPlace<T>(
  path: string,
  onEvent: OnEvent,
  act: (workspace: Workspace) => Promise<T>
): Promise<T> {
  const parent = openOrMakeDirectory(dirname(path))
  try {
    tidy(parent.fd, dirname(path), onEvent)
    return await whileOpen(new BesideWorkspace(parent.fd, path), onEvent, act)
  } catch (error) {
    parent.removeNew()
    throw error
  } finally {
    parent.close()
  }
}

/** What cannot be removed is left for the next run: the result, or the failure, matters more. */
async function whileOpen<T>(
  workspace: ClosableWorkspace,
  onEvent: OnEvent,
  act: (workspace: Workspace) => Promise<T>
): Promise<T> {
  try {
    return await act(workspace)
  } finally {
    try {
      workspace.remove()
    } catch (error) {
      onEvent(notRemoved(workspace.destination, error))
    }
  }
}

interface ClosableWorkspace extends Workspace {
  remove(): void
}

/** A workspace beside a destination that does not exist, which it becomes. */
class BesideWorkspace implements ClosableWorkspace {
  readonly destination: string
  readonly existing = undefined
  private readonly parent: number
  private readonly directory: PrivateDirectory

  constructor(parent: number, destination: string) {
    this.destination = destination
    this.parent = parent
    this.directory = makeWorkspace(parent, basename(destination))
  }

  get fd(): number {
    return this.directory.fd
  }

  get path(): string {
    return this.directory.path
  }

  publish(): void {
    this.rename(this.parent, this.directory.name)
  }

  publishOnly(name: ByteString): void {
    this.rename(this.fd, name)
  }

  remove(): void {
    this.directory.remove()
  }

  private rename(directory: number, name: ByteString): void {
    try {
      renameNew(directory, name, this.parent, fromText(basename(this.destination)))
    } catch (error) {
      throw taken(error, this.destination)
    }
  }
}

/** Publishing only moves finished objects. */
const NO_METADATA = {
  implicit: implicitDirectory({ kind: 'exact', uidMap: [], gidMap: [] }),
  onLostXattr: () => undefined
}

/** A workspace in a destination that exists. It leaves no trace in the times of that directory. */
class InsideWorkspace implements ClosableWorkspace {
  readonly destination: string
  readonly existing: ExistingDestination
  private readonly directory: PrivateDirectory

  constructor(fd: number, destination: string) {
    this.destination = destination
    this.directory = keepTimes(fd, () => makeWorkspace(fd, ''))
    this.existing = { fd, workspaceName: this.directory.name }
  }

  get fd(): number {
    return this.directory.fd
  }

  get path(): string {
    return this.directory.path
  }

  /**
   * The destination is closed to others before anything is in it, as in umoci: this keeps set-user-ID programs and
   * devices of an untrusted image out of other users' reach.
   */
  publish(names: readonly ByteString[]): void {
    const { fd, workspaceName } = this.existing
    const operations: Operation[] = [
      { op: 'set-mode', path: '', mode: PRIVATE_MODE },
      ...names.map((name) => ({
        op: 'move' as const,
        from: joinPath(workspaceName, name),
        to: name
      }))
    ]
    try {
      applyWithJournal({ fd: this.fd, path: workspaceName }, fd, operations, NO_METADATA)
    } catch (error) {
      throw taken(error, this.destination)
    }
  }

  publishOnly(name: ByteString): void {
    throw new Error(`[internal] ${display(name)} cannot replace a directory that is there`)
  }

  /**
   * Tries again to undo what could not be undone after a failure; otherwise the workspace and its content stay for the
   * next run.
   */
  remove(): void {
    const { fd } = this.existing
    try {
      orTryAgain(() => undo(this.fd, fd))
    } catch (error) {
      this.directory.release()
      throw error
    }
    try {
      keepTimes(fd, () => this.directory.remove())
    } catch {
      this.directory.remove() // removing it matters more than the times
    }
  }
}

function makeWorkspace(directory: number, becomes: string): PrivateDirectory {
  const made = makePrivateDirectory(directory, () => privateName(becomes), PRIVATE_MODE)
  try {
    shedInheritance(made.fd)
    return made
  } catch (error) {
    made.remove()
    throw error
  }
}

/** Undoes and removes what dead processes left in a directory, which must be locked by the caller. */
export function tidy(directory: number, path: string, onEvent: OnEvent): void {
  let undone = false
  removeLeftovers(directory, {
    recover(workspace) {
      undone = undo(workspace, directory)
      recoverRefresh(directory, workspace)
    },
    onRemoved: (name) => onEvent(leftover(path, name, undone))
  })
}

/**
 * Removes what a dead process left beside a destination that exists now; a directory that cannot be read is skipped.
 */
function tidyBeside(path: string, onEvent: OnEvent): void {
  const above = openIfAllowed(dirname(path))
  if (above === undefined) return
  const isNamed = (name: ByteString): boolean => isPrivateNameFor(basename(path), name)
  try {
    removeLeftovers(
      above,
      { onRemoved: (found) => onEvent(leftover(dirname(path), found, false)) },
      { ...PRIVATE, isNamed }
    )
  } finally {
    close(above)
  }
}

function openIfAllowed(path: string): number | undefined {
  try {
    return openOperatorDirectory(fromText(path))
  } catch {
    return undefined
  }
}

function leftover(directory: string, name: ByteString, undone: boolean): Parameters<OnEvent>[0] {
  return { type: 'leftover', path: `${directory}/${display(name)}`, undone }
}

/** Locks the directory until it is closed. @throws BUNDLE_EXISTS if another process works in it */
export function assertFree(directory: number, path: string): void {
  if (claim(directory) !== 'taken') return
  throw new OciUnpackError('BUNDLE_EXISTS', 'Another process is working there.', {
    facts: { path },
    hint: 'Wait until it ends, or choose another directory.'
  })
}

function isDirectory(path: string): boolean {
  const found = statIfThere(path)
  if (found === undefined) return false
  if (found.isDirectory()) return true
  throw new OciUnpackError('BUNDLE_EXISTS', 'The destination exists and is not a directory.', {
    facts: { path },
    hint: 'Choose another place, or remove what is there.'
  })
}

function statIfThere(path: string): ReturnType<typeof statSync> {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw fromNode(error)
  }
}

function taken(error: unknown, destination: string): unknown {
  if (!isErrno(error, 'EEXIST')) return error
  return new OciUnpackError('BUNDLE_EXISTS', 'Something appeared in the destination meanwhile.', {
    facts: { path: destination },
    cause: error
  })
}

function notRemoved(destination: string, error: unknown): Parameters<OnEvent>[0] {
  return {
    type: 'warning',
    message: 'A directory for unfinished work could not be removed. The next run will try again.',
    facts: { path: destination, reason: error instanceof Error ? error.message : String(error) }
  }
}
