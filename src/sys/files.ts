/** Creates, opens, reads, writes, truncates and closes files. Directory handles are plain descriptors. */
import type { ByteString } from '../bytes.ts'
import { failed, failedWith } from './failed-call.ts'
import { SyscallError } from './failure.ts'
import { addressOf, libcCalls as libc } from './libc.ts'
import { firstPath } from './memory.ts'
import { read } from './read.ts'

export const AT_FDCWD = -100

const O_WRONLY = 0o1
const O_RDWR = 0o2
const O_CREAT = 0o100
const O_EXCL = 0o200
const O_APPEND = 0o2000
const O_NONBLOCK = 0o4000
const O_DIRECTORY = 0o200000
const O_NOFOLLOW = 0o400000
const O_CLOEXEC = 0o2000000
const O_PATH = 0o10000000

/** A new regular file, opened for writing; never an existing one, never through a link. */
export function createFile(directory: number, name: ByteString, mode: number): number {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
  const fd = libc.openat(directory, firstPath.string(name), flags, mode)
  if (fd < 0) throw failed('openat', name, 'O_CREAT|O_EXCL', octal(mode))
  return fd
}

/** A new regular file to which every write appends, and which can be read; only its owner may. */
export function createLog(directory: number, name: ByteString): number {
  const flags = O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
  const fd = libc.openat(directory, firstPath.string(name), flags, 0o600)
  if (fd < 0) throw failed('openat', name, 'O_CREAT|O_EXCL|O_APPEND', '0600')
  return fd
}

/** The same for one that exists. */
export function openLog(directory: number, name: ByteString): number {
  const flags = O_RDWR | O_APPEND | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC
  const fd = libc.openat(directory, firstPath.string(name), flags, 0)
  if (fd < 0) throw failed('openat', name, 'O_RDWR|O_APPEND|O_NOFOLLOW')
  return fd
}

/** Opens a file to read; never through a link, and a FIFO does not block. */
export function openFile(directory: number, name: ByteString): number {
  const flags = O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC
  const fd = libc.openat(directory, firstPath.string(name), flags, 0)
  if (fd < 0) throw failed('openat', name, 'O_RDONLY|O_NOFOLLOW')
  return fd
}

/** Fills the buffer from the file's offset. Reads less only at the end of the file. */
export function readInto(fd: number, buffer: Buffer): number {
  let done = 0
  while (done < buffer.length) {
    const taken = readOnce(fd, buffer, done)
    if (taken === 0) return done
    done += taken
  }
  return done
}

function readOnce(fd: number, buffer: Buffer, at: number): number {
  try {
    return read(fd, buffer, at, buffer.length - at, null)
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'EIO'
    throw new SyscallError(errno, `read(${fd}, ${buffer.length - at})`, undefined)
  }
}

/** A directory by name in `directory`; the last component is not followed. */
export function openDirectory(directory: number, name: ByteString): number {
  const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
  const fd = libc.openat(directory, firstPath.string(name), flags, 0)
  if (fd < 0) throw failed('openat', name, 'O_DIRECTORY|O_NOFOLLOW')
  return fd
}

/** A directory by a path that the operator gave; links in it are followed. */
export function openOperatorDirectory(path: ByteString): number {
  const fd = libc.openat(AT_FDCWD, firstPath.string(path), O_DIRECTORY | O_CLOEXEC, 0)
  if (fd < 0) throw failed('open', path, 'O_DIRECTORY')
  return fd
}

/** The same without access to what is in it, which its mode may not allow. */
export function openOperatorPlace(path: ByteString): number {
  const fd = libc.openat(AT_FDCWD, firstPath.string(path), O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
  if (fd < 0) throw failed('open', path, 'O_PATH|O_DIRECTORY')
  return fd
}

/**
 * An object of any type itself, only to examine it or to change its mode: a link is not followed, and its own mode does
 * not matter.
 */
export function openPlace(directory: number, name: ByteString): number {
  const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC
  const fd = libc.openat(directory, firstPath.string(name), flags, 0)
  if (fd < 0) throw failed('openat', name, 'O_PATH|O_NOFOLLOW')
  return fd
}

/** Writes all `length` bytes at `address` to a position of the file. Anything skipped before it becomes a hole. */
export function writeAllAt(fd: number, address: number, length: number, position: number): void {
  let done = 0
  while (done < length) {
    const written = libc.pwrite(fd, address + done, length - done, position + done)
    if (written < 0) throw failed('pwrite', undefined, fd, length - done, position + done)
    done += written
  }
}

/** A new file with all its content; never an existing one, never through a link. */
export function writeNewFile(
  directory: number,
  name: ByteString,
  content: Buffer,
  mode: number
): void {
  const fd = createFile(directory, name, mode)
  try {
    writeAllAt(fd, addressOf(content), content.length, 0)
  } finally {
    close(fd)
  }
}

export function truncate(fd: number, size: number): void {
  if (libc.ftruncate(fd, size) < 0) throw failed('ftruncate', undefined, fd, size)
}

export function close(fd: number): void {
  if (libc.close(fd) < 0 && !failedWith('EINTR')) throw failed('close', undefined, fd)
}

export function octal(mode: number): string {
  return `0${mode.toString(8)}`
}
