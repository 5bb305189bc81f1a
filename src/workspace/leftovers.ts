/** What processes that died have left behind, recognised by its name, its owner and a lock that no process holds. */
import { display, type ByteString } from '../bytes.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory, openFile } from '../sys/files.ts'
import { removeFile } from '../sys/names.ts'
import { status, type Status } from '../sys/status.ts'
import { isOwn, openClaimed } from './claim.ts'
import { removeClaimed } from './private-directory.ts'
import { isPrivateName } from './private-name.ts'

/** What may be taken for unfinished work of ours at all. Links never are. */
export interface LeftoverKind {
  isNamed: (name: ByteString) => boolean
  isOurs: (status: Status) => boolean
}

export const PRIVATE: LeftoverKind = { isNamed: isPrivateName, isOurs: isOwn }

export interface LeftoverOptions {
  /** Puts right what the dead process had begun, before its directory goes. What it throws ends everything. */
  recover?: (fd: number) => void
  /** Called for each that is gone. */
  onRemoved?: (name: ByteString) => void
}

/** Hears the absolute path of what was left behind, and is gone now. */
export type OnLeftover = (path: string) => void

/** Removes what is left in a directory where something new is about to be made. @param path of it, for those who hear */
export function makeWay(directory: number, path: string, onLeftover: OnLeftover): void {
  removeLeftovers(directory, { onRemoved: (name) => onLeftover(`${path}/${display(name)}`) })
}

/** Removes all unfinished work whose owner is dead. What cannot be removed stays for the next run. */
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

/** Says whether it is gone by our doing. */
export function removeLeftover(
  directory: number,
  name: ByteString,
  kind: LeftoverKind,
  recover?: LeftoverOptions['recover']
): boolean {
  const isGone = withDead(directory, name, kind, (fd, { type }) => {
    if (type === 'directory') recover?.(fd)
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

/** Undefined if there is no such thing of ours; `live` if its owner is alive. */
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
    return act(fd, status(fd, ''))
  } finally {
    close(fd)
  }
}

function statusOf(directory: number, name: ByteString): Status | undefined {
  const found = ifThere(() => status(directory, name))
  return found?.type === 'directory' || found?.type === 'file' ? found : undefined
}

/** Anybody may remove or replace it between two calls. */
function ifThere<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined
    throw error
  }
}

/** Who may not list a directory cannot find anything in it. */
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
