/**
 * The private directory that an operation works in, on the file system of what it makes, and how the result
 * comes out of it: whole or not at all. A failure removes the workspace and nothing else.
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
  /** The destination, if it was there before: it is added to, never replaced. */
  readonly existing: ExistingDestination | undefined
  /**
   * Everything is ready: the workspace itself becomes the destination, or, where that exists, `names` move into
   * it one by one, so the name that makes it complete should be the last.
   */
  publish(names: readonly ByteString[]): void
  /** The directory `name` in the workspace becomes the destination, which does not exist. */
  publishOnly(name: ByteString): void
}

export interface ExistingDestination {
  readonly fd: number
  /** The workspace's name in it. */
  readonly workspaceName: ByteString
}

/**
 * Runs `act` in a new workspace for `destination`; whatever happens, the workspace is gone afterwards. What processes
 * that died have left there goes first. A destination that is there is this operation's alone meanwhile.
 * @throws BUNDLE_EXISTS where it is no directory, or another process is at work in it
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

/** The same in a directory that is open and the caller's own. */
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

/** What cannot be removed is a leftover for the next run; the result, or the failure, is what counts. */
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

/** Beside a destination that does not exist: it becomes it. */
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

/** A publication only moves what is finished. */
const NO_METADATA = {
  implicit: implicitDirectory({ kind: 'exact', uidMap: [], gidMap: [] }),
  onLostXattr: () => undefined
}

/** In a destination that exists. Its coming and going leaves no trace in the times of the directory. */
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
   * Closed to others before anything is in it, as umoci does: set-user-ID programs and devices of a stranger's image
   * are out of other users' reach.
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

  /** What could not be undone when it failed is undone now; else it stays for the next run, with all that it holds. */
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
      this.directory.remove() // that it goes counts more than the times
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

/** What processes that died have left in a directory is put right and goes; the directory must be ours. */
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

/** What a process that died has left beside a destination that is there now; what is not to be seen cannot be removed. */
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

/** @throws BUNDLE_EXISTS where another process is at work in the directory; else it is ours until it is closed */
export function assertFree(directory: number, path: string): void {
  if (claim(directory) !== 'taken') return
  throw new OciUnpackError('BUNDLE_EXISTS', 'Another process is at work there.', {
    facts: { path },
    hint: 'Wait for its end, or choose another directory.'
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
