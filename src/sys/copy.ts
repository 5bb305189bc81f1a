/** Copies bytes between open files without passing them through this process, and finds where a file has data. */
import { failed, failedWith } from './failed-call.ts'
import { libcCalls as libc } from './libc.ts'

const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4

/** linux/fs.h: _IOW(0x94, 9, int), on x86 and ARM. On architectures with another number, nothing is cloned. */
const FICLONE = 0x40049409

/** Lets the empty file `to` share all blocks of `from` (ioctl_ficlone(2)); false if their file system cannot. */
export function cloneFile(from: number, to: number): boolean {
  if (libc.ioctl(to, FICLONE, from) === 0) return true
  if (failedWith('EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS', 'EPERM'))
    return false
  throw failed('ioctl', undefined, to, 'FICLONE', from)
}

/**
 * Copies at most `length` bytes from one file's offset to the other's; Btrfs, XFS and similar file systems share the
 * blocks. Returns the number of bytes, 0 at the end of the file; undefined if the kernel cannot copy between these two.
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

/** The position of the first data at or after `position`; undefined if there is none. */
export function seekData(fd: number, position: number): number | undefined {
  const found = libc.lseek(fd, position, SEEK_DATA)
  if (found >= 0) return found
  if (failedWith('ENXIO')) return undefined
  throw failed('lseek', undefined, fd, position, 'SEEK_DATA')
}

/** The end of the data at `position`: a hole, or the end of the file. */
export function seekHole(fd: number, position: number): number {
  const found = libc.lseek(fd, position, SEEK_HOLE)
  if (found < 0) throw failed('lseek', undefined, fd, position, 'SEEK_HOLE')
  return found
}
