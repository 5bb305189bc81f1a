/** What dead processes left behind, recognised by its name, its owner and a lock that no process holds. */
import { display, type ByteString } from '../bytes.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory, openFile } from '../sys/files.ts'
import { removeFile } from '../sys/names.ts'
import { status, type Status } from '../sys/status.ts'
import { isOwn, openClaimed } from './claim.ts'
import { removeClaimed } from './private-directory.ts'
import { isMarked } from './mark.ts'
import { isLasting, isPrivateName } from './private-name.ts'

/** What can be unfinished work of ours. Links never are. */
export interface LeftoverKind {
  isNamed: (name: ByteString) => boolean
  isOurs: (status: Status) => boolean
}

export const PRIVATE: LeftoverKind = { isNamed: isPrivateName, isOurs: isOwn }

export interface LeftoverOptions {
  /**
   * Undoes or completes what the dead process had begun, before its directory is removed. If it throws, everything
   * ends.
   */
  recover?: (fd: number) => void
  /** Called for each one that is removed. */
  onRemoved?: (name: ByteString) => void
}

/** Gets the absolute path of each leftover that was removed. */
export type OnLeftover = (path: string) => void

/**
 * Removes leftovers in a directory where something new is about to be made. @param path of the directory, for reports
 */
export function makeWay(directory: number, path: string, onLeftover: OnLeftover): void {
  removeLeftovers(directory, { onRemoved: (name) => onLeftover(`${path}/${display(name)}`) })
}

/** Removes all unfinished work whose owner is dead. Whatever cannot be removed is left to the next run. */
export function removeLeftovers(
  directory: number,
  { recover, onRemoved }: LeftoverOptions,
  kind: LeftoverKind = PRIVATE
): void {
  for (const name of listNames(directory, kind))
    if (removeLeftover(directory, name, kind, recover)) onRemoved?.(name)
}

/** Unfinished work in a directory, grouped by whether its owner is alive. */
export function listLeftovers(
  directory: number,
  kind: LeftoverKind = PRIVATE
): { live: ByteString[]; abandoned: ByteString[] } {
  const found = { live: [] as ByteString[], abandoned: [] as ByteString[] }
  for (const name of listNames(directory, kind)) {
    const isDead = withDead(directory, name, kind, () => true)
    if (isDead !== undefined) found[isDead === 'live' ? 'live' : 'abandoned'].push(name)
  }
  return found
}

/** Returns whether we removed it. */
export function removeLeftover(
  directory: number,
  name: ByteString,
  kind: LeftoverKind,
  recover?: LeftoverOptions['recover']
): boolean {
  const isGone = withDead(directory, name, kind, (fd, { type }) => {
    if (type === 'directory' && isLasting(name)) recover?.(fd)
    return attempt(() => {
      if (type === 'directory') removeClaimed(directory, name, fd)
      else removeFile(directory, name)
    })
  })
  return isGone === true
}

function listNames(directory: number, { isNamed }: LeftoverKind): ByteString[] {
  return listIfAllowed(directory)
    .filter((name) => isNamed(name))
    .sort()
}

/** Undefined if it is not unfinished work of ours; `live` if its owner is alive. */
function withDead<T>(
  directory: number,
  name: ByteString,
  kind: LeftoverKind,
  act: (fd: number, status: Status) => T
): T | 'live' | undefined {
  const found = statusOf(directory, name)
  if (found === undefined || found.isMountRoot || !kind.isOurs(found)) return undefined
  const open = found.type === 'directory' ? openDirectory : openFile
  const fd = ifThere(() => openClaimed(directory, name, open, ['ours']))
  if (fd === undefined) return statusOf(directory, name) === undefined ? undefined : 'live'
  try {
    const isForeign = found.type === 'directory' && isLasting(name) && !isMarked(fd)
    return isForeign ? undefined : act(fd, status(fd, ''))
  } finally {
    close(fd)
  }
}

function statusOf(directory: number, name: ByteString): Status | undefined {
  const found = ifThere(() => status(directory, name))
  return found?.type === 'directory' || found?.type === 'file' ? found : undefined
}

/** Another process may remove or replace it between two calls. */
function ifThere<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined
    throw error
  }
}

/** Finds nothing if the caller may not list the directory. */
function listIfAllowed(directory: number): ByteString[] {
  try {
    return listDirectory(directory)
  } catch (error) {
    if (isErrno(error, 'EACCES')) return []
    throw error
  }
}

function attempt(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
