import { failed, isErrno } from './failure.ts'
import { libcCalls as libc } from './libc.ts'

/** linux/fs.h: _IOW(0x94, 9, int). */
const FICLONE = 0x40049409

/**
 * Makes an open, empty file share the blocks of another (ioctl_ficlone(2)); says whether the two are on one file
 * system that can. Nothing is written where it cannot.
 */
export function tryClone(to: number, from: number): boolean {
  if (libc.ioctl(to, FICLONE, from) === 0) return true
  const error = failed('ioctl', undefined, to, 'FICLONE', from)
  if (isErrno(error, 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS', 'EPERM'))
    return false
  throw error
}
