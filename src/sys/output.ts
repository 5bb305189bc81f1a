/** Writing to what is not a new file: pipes and other streams, and block devices. */
import { failed, failedWith } from './failed-call.ts'
import { libcCalls as libc } from './libc.ts'
import { structure } from './memory.ts'
import { POLLOUT, waitFor } from './poll.ts'

/** Waits until something can be written, or nobody reads any more. `timeout` in milliseconds. Returns whether that is so. */
export function waitWritable(fd: number, timeout: number): boolean {
  return waitFor(fd, POLLOUT, timeout)
}

/** Writes some of the bytes at an address. Returns their number, 0 if none can be written now. */
export function writeSome(fd: number, address: number, length: number): number {
  const written = libc.write(fd, address, length)
  if (written >= 0) return written
  if (failedWith('EAGAIN')) return 0
  throw failed('write', undefined, fd, length)
}

const SEEK_END = 2

/** Bytes of a block device. */
export function deviceSize(fd: number): number {
  const size = libc.lseek(fd, 0, SEEK_END)
  if (size < 0) throw failed('lseek', undefined, fd, 0, 'SEEK_END')
  return size
}

/** linux/fs.h: _IO(0x12, 94), on x86 and ARM. On architectures with another number, no device counts as read-only. */
const BLKROGET = 0x125e

/** Whether a block device refuses every write, although it can be opened for writing. */
export function isReadOnlyDevice(fd: number): boolean {
  const view = structure.view()
  view.writeInt32LE(0, 0)
  return libc.ioctl(fd, BLKROGET, structure.address) === 0 && view.readInt32LE(0) !== 0
}

const FALLOC_FL_KEEP_SIZE = 1
const FALLOC_FL_PUNCH_HOLE = 2
const FALLOC_FL_ZERO_RANGE = 16

/** Makes a part of a file or a block device read as zeros, without writing them. False if that is not possible. */
export function zeroRange(fd: number, offset: number, length: number): boolean {
  for (const mode of [FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE]) {
    if (libc.fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, offset, length) === 0) return true
    if (!failedWith('EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ENODEV', 'ENOSYS', 'EPERM'))
      throw failed('fallocate', undefined, fd, offset, length)
  }
  return false
}
