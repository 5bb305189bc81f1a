/**
 * A claim makes a place ours: an exclusive flock(2) on the file or directory itself, taken before anything is put
 * there. It ends with the last process that holds the descriptor, so an owner that was killed is known to be dead. A
 * place that no process holds was left behind, whatever its age.
 */
import type { ByteString } from '../bytes.ts'
import { isErrno } from '../sys/failure.ts'
import { close } from '../sys/files.ts'
import { tryLock, type LockKind } from '../sys/lock.ts'
import { inodeKey, status, statusIfThere, type Status } from '../sys/status.ts'

/** `unknown`: the file system has no locks, so no owner can be known to be dead. */
export type Claim = 'ours' | 'taken' | 'unknown'

/** @param kind `shared` for a caller that only needs the place not to change */
export function claim(fd: number, kind: LockKind = 'exclusive'): Claim {
  try {
    return tryLock(fd, kind) ? 'ours' : 'taken'
  } catch (error) {
    if (isErrno(error, 'ENOLCK', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL')) return 'unknown'
    throw error
  }
}

/** Waits for the processes that have it. `pause` is awaited meanwhile, and can throw to give up. */
export async function awaitClaim(
  fd: number,
  kind: LockKind,
  pause: () => Promise<void>
): Promise<void> {
  while (claim(fd, kind) === 'taken') await pause()
}

/** Whether `name` still leads to the open file: another process may have renamed it between two calls. */
export function isStillAt(directory: number, name: ByteString, fd: number): boolean {
  const found = statusIfThere(directory, name)
  return found !== undefined && inodeKey(found) === inodeKey(status(fd, ''))
}

/** Opens, claims and checks. Returns undefined, with nothing open, if another process has it. */
export function openClaimed(
  directory: number,
  name: ByteString,
  open: (directory: number, name: ByteString) => number,
  accept: readonly Claim[]
): number | undefined {
  const fd = open(directory, name)
  try {
    if (accept.includes(claim(fd)) && isStillAt(directory, name, fd)) return fd
  } catch (error) {
    close(fd)
    throw error
  }
  close(fd)
  return undefined
}

/** Whether this user made it. */
export function isOwn({ uid }: Pick<Status, 'uid'>): boolean {
  return uid === process.geteuid!()
}
