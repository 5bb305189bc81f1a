/**
 * The mark of a private directory that is never renamed: a socket in it, which no archive can contain. What such a directory tells a
 * later process to do is done, so an image that brings one with it must not pass for us.
 */
import type { ByteString } from '../bytes.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import { makeSpecial } from '../sys/names.ts'
import { statusIfThere } from '../sys/status.ts'

export const MARK: ByteString = 'mark'

/** On a file system without sockets there is no mark, and after a kill the directory stays. */
export function mark(fd: number): void {
  try {
    makeSpecial(fd, MARK, 'socket', 0o600, 0, 0)
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ENOSYS')) throw error
  }
}

/** Whether a directory bears the mark, or is still (or again) empty. */
export function isMarked(fd: number): boolean {
  return statusIfThere(fd, MARK)?.type === 'socket' || listDirectory(fd).length === 0
}
