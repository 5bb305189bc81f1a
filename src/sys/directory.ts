import { readdirSync, type Dirent } from 'node:fs'
import type { ByteString } from '../bytes.ts'
import { SyscallError } from './failure.ts'

/** Names in a directory in the kernel's order, without `.` and `..`. */
export function listDirectory(fd: number): ByteString[] {
  return guarded(fd, () => readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }))
}

/** Names with the type that the directory itself records. */
export function listDirectoryTypes(fd: number): Dirent[] {
  return guarded(fd, () =>
    readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1', withFileTypes: true })
  )
}

function guarded<T>(fd: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO'
    throw new SyscallError(code, `getdents64(${fd})`, undefined)
  }
}
