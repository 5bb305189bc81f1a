/** Files that are changed in place and must survive a crash. */
import { fsyncSync } from 'node:fs'
import type { ByteString } from '../bytes.ts'
import { failed } from './failed-call.ts'
import { fromNode, isErrno } from './failure.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath } from './memory.ts'

const O_RDWR = 0o2
const O_NONBLOCK = 0o4000
const O_NOFOLLOW = 0o400000
const O_CLOEXEC = 0o2000000

/** An existing file, opened to read and write; never through a link, and a FIFO does not block. */
export function openForChange(directory: number, name: ByteString): number {
  const flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC
  const fd = libc.openat(directory, firstPath.string(name), flags, 0)
  if (fd < 0) throw failed('openat', name, 'O_RDWR|O_NOFOLLOW')
  return fd
}

/** Waits until a whole file, or the names in a directory, are on the disk. Not every file system can do this. */
export function flush(fd: number): void {
  try {
    fsyncSync(fd)
  } catch (error) {
    const known = fromNode(error)
    if (!isErrno(known, 'EINVAL')) throw known
  }
}
