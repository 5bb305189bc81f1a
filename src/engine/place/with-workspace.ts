/** Working in a workspace that is removed afterwards, for a destination that exists or not. */
import { statSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { OciUnpackError, withFacts } from '../../errors.ts'
import { openDestination } from '../../sys/destination.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
import { close } from '../../sys/files.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { openOrMakeDirectory } from '../../sys/operator-directory.ts'
import type { OnEvent } from '../operation/events.ts'
import { BesideWorkspace } from './beside-workspace.ts'
import { InsideWorkspace } from './inside-workspace.ts'
import { keepTimes } from './keep-times.ts'
import { whileOpenedUp } from './open-up.ts'
import { assertFree, tidy, tidyBeside } from './tidy.ts'
import type { ClosableWorkspace, Workspace } from './workspace.ts'

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
  whileOpenedUp(directory, () => keepTimes(directory, () => tidy(directory, path, onEvent)))
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
export async function whileOpen<T>(
  workspace: ClosableWorkspace,
  onEvent: OnEvent,
  act: (workspace: Workspace) => Promise<T>
): Promise<T> {
  try {
    return await act(workspace)
  } catch (error) {
    // a call with a handle does not say on which file system
    if (isErrno(error, 'ENOSPC', 'EDQUOT')) throw withFacts(error, { path: workspace.destination })
    throw error
  } finally {
    try {
      workspace.remove()
    } catch (error) {
      onEvent(notRemoved(workspace.destination, error))
    }
  }
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

/** With "throwIfNoEntry", Node 22 and later say nothing of a file on the way either. */
function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    const failure = fromNode(error)
    if (isErrno(failure, 'ENOENT')) return undefined
    throw failure
  }
}

function notRemoved(destination: string, error: unknown): Parameters<OnEvent>[0] {
  return {
    type: 'warning',
    message: 'A directory for unfinished work could not be removed. The next run will try again.',
    facts: { path: destination, reason: error instanceof Error ? error.message : String(error) }
  }
}
