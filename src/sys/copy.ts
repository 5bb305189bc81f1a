/** Bytes from one open file to another that do not come through this process, and where a file has data at all. */
import { failed, failedWith } from './failed-call.ts'
import { libcCalls as libc } from './libc.ts'

const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4

/** linux/fs.h: _IOW(0x94, 9, int), on x86 and ARM; where it is another number, nothing is cloned. */
const FICLONE = 0x40049409

/** Lets the empty file `to` share all blocks of `from` (ioctl_ficlone(2)); false where their file system cannot. */
export function cloneFile(from: number, to: number): boolean {
  if (libc.ioctl(to, FICLONE, from) === 0) return true
  if (failedWith('EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS', 'EPERM'))
    return false
  throw failed('ioctl', undefined, to, 'FICLONE', from)
}

/**
 * Copies at most `length` bytes from where one file's offset stands to where the other's does; Btrfs, XFS and their like
 * share the blocks. Gives how many, 0 at the end of the file; undefined where the kernel does not copy between these two.
 */
export function copyFileRange(from: number, to: number, length: number): number | undefined {
  const copied = libc.copy_file_range(from, 0, to, 0, length, 0)
  if (copied >= 0) return copied
  if (failedWith('EXDEV', 'EINVAL', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EPERM')) return undefined
  throw failed('copy_file_range', undefined, from, to, length)
}

export function seekTo(fd: number, position: number): void {
  if (libc.lseek(fd, position, SEEK_SET) < 0) throw failed('lseek', undefined, fd, position)
}

/** Where the first data at or after `position` begin; undefined where there are none up to the end. */
export function seekData(fd: number, position: number): number | undefined {
  const found = libc.lseek(fd, position, SEEK_DATA)
  if (found >= 0) return found
  if (failedWith('ENXIO')) return undefined
  throw failed('lseek', undefined, fd, position, 'SEEK_DATA')
}

/** Where the data at `position` end: at a hole, or at the end of the file. */
export function seekHole(fd: number, position: number): number {
  const found = libc.lseek(fd, position, SEEK_HOLE)
  if (found < 0) throw failed('lseek', undefined, fd, position, 'SEEK_HOLE')
  return found
}
