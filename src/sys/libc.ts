/**
 * The one file that knows koffi: C functions of the running process's own libc, declared with integer
 * arguments only. Pointers travel as addresses of memory that `memory.ts` owns, because an integer
 * argument costs a third of a converted one (0.23 µs a call against 0.7 µs with a Buffer).
 */
import koffi from 'koffi'

const libc = koffi.load(null)

type Native = (...args: readonly number[]) => number

function declare(prototype: string): Native {
  return libc.func(prototype) as Native
}

export const libcCalls = {
  openat: declare('int openat(int, uintptr_t, int, uint32)'),
  close: declare('int close(int)'),
  write: declare('int64 write(int, uintptr_t, size_t)'),
  pwrite: declare('int64 pwrite(int, uintptr_t, size_t, int64)'),
  ftruncate: declare('int ftruncate(int, int64)'),
  fsync: declare('int fsync(int)'),
  syncfs: declare('int syncfs(int)'),
  mkdirat: declare('int mkdirat(int, uintptr_t, uint32)'),
  mknodat: declare('int mknodat(int, uintptr_t, uint32, uint64)'),
  symlinkat: declare('int symlinkat(uintptr_t, int, uintptr_t)'),
  linkat: declare('int linkat(int, uintptr_t, int, uintptr_t, int)'),
  unlinkat: declare('int unlinkat(int, uintptr_t, int)'),
  renameat2: declare('int renameat2(int, uintptr_t, int, uintptr_t, uint32)'),
  readlinkat: declare('int64 readlinkat(int, uintptr_t, uintptr_t, size_t)'),
  fchown: declare('int fchown(int, uint32, uint32)'),
  fchownat: declare('int fchownat(int, uintptr_t, uint32, uint32, int)'),
  fchmod: declare('int fchmod(int, uint32)'),
  fchmodat: declare('int fchmodat(int, uintptr_t, uint32, int)'),
  futimens: declare('int futimens(int, uintptr_t)'),
  utimensat: declare('int utimensat(int, uintptr_t, uintptr_t, int)'),
  lsetxattr: declare('int lsetxattr(uintptr_t, uintptr_t, uintptr_t, size_t, int)'),
  fsetxattr: declare('int fsetxattr(int, uintptr_t, uintptr_t, size_t, int)'),
  lgetxattr: declare('int64 lgetxattr(uintptr_t, uintptr_t, uintptr_t, size_t)'),
  llistxattr: declare('int64 llistxattr(uintptr_t, uintptr_t, size_t)'),
  lremovexattr: declare('int lremovexattr(uintptr_t, uintptr_t)'),
  statx: declare('int statx(int, uintptr_t, int, uint32, uintptr_t)'),
  pipe2: declare('int pipe2(uintptr_t, int)'),
  fcntl: declare('int fcntl(int, int, int64)'),
  flock: declare('int flock(int, int)'),
  umask: declare('uint32 umask(uint32)'),
  openat2: declareSyscall()
}

/** openat2(2) has no wrapper in the libcs of today; its number is the same on every architecture. */
function declareSyscall(): Native {
  const SYS_openat2 = 437
  const syscall = declare('int64 syscall(int64, int64, uintptr_t, uintptr_t, size_t)')
  return (directory, path, how, size) => syscall(SYS_openat2, directory, path, how, size)
}

/** The number of the last failure in this thread; valid until the next call. */
export function lastErrno(): number {
  return koffi.errno()
}

/** Where a Buffer's bytes lie. They do not move as long as the Buffer lives. */
export function addressOf(buffer: Buffer): number {
  return Number(koffi.address(buffer))
}
