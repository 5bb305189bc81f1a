/**
 * The one file that knows koffi: C functions of the process's own libc and of other libraries, declared with integer
 * arguments only. Pointers are passed as addresses of memory that `memory.ts` owns, because an integer argument costs a
 * third of a converted one (0.23 µs per call instead of 0.7 µs with a Buffer).
 */
import { constants } from 'node:os'
import koffi from 'koffi'

const libc = koffi.load(null)

export type Native = (...args: readonly number[]) => number

function declare(prototype: string): Native {
  return retrying(libc.func(prototype) as Native, prototype.split(',').length)
}

/** An interrupted close(2) has closed the descriptor, and callers of poll(2) need to know about the interruption. */
const NOT_REPEATED: ReadonlySet<string> = new Set(['close', 'poll'])

/**
 * Repeats a call that a signal interrupted (signal(7): this can happen when the process is stopped and continued or
 * traced, or on a file system that another process serves). There is one function for each number of arguments, because
 * collecting and spreading them would cost as much as the call.
 */
function retrying(call: Native, parameters: number): Native {
  let result: number
  switch (parameters) {
    case 2:
      return (a, b) => {
        do result = call(a, b)
        while (result < 0 && wasInterrupted())
        return result
      }
    case 3:
      return (a, b, c) => {
        do result = call(a, b, c)
        while (result < 0 && wasInterrupted())
        return result
      }
    case 4:
      return (a, b, c, d) => {
        do result = call(a, b, c, d)
        while (result < 0 && wasInterrupted())
        return result
      }
    case 5:
      return (a, b, c, d, e) => {
        do result = call(a, b, c, d, e)
        while (result < 0 && wasInterrupted())
        return result
      }
    case 6:
      return (a, b, c, d, e, f) => {
        do result = call(a, b, c, d, e, f)
        while (result < 0 && wasInterrupted())
        return result
      }
    default:
      throw new Error(`[internal] no call has ${parameters} arguments`)
  }
}

function wasInterrupted(): boolean {
  return koffi.errno() === constants.errno.EINTR
}

/** Functions that may not exist on this machine. @param file a shared library; null: this process with what it has loaded */
export function loadLibrary<Name extends string>(
  file: string | null,
  functions: Readonly<Record<Name, string>>
): Readonly<Record<Name, Native>> | undefined {
  try {
    const found = koffi.load(file)
    const declared = Object.entries<string>(functions).map(([name, it]) => [name, found.func(it)])
    return Object.fromEntries(declared) as Record<Name, Native>
  } catch {
    return undefined
  }
}

/** Calls a function of `loadLibrary` in a thread of libuv's pool. What its addresses lead to must stay until it returns. */
export function callInPool(call: Native, ...args: readonly number[]): Promise<number> {
  const begin = (call as unknown as PoolFunction).async
  return new Promise((resolve, reject) => {
    begin(...args, (error, result) => {
      if (error) reject(error)
      else resolve(result)
    })
  })
}

/** What koffi calls back when the function has returned. */
interface PoolFunction {
  async: (...args: [...number[], (error: Error | null, result: number) => void]) => void
}

/** A function that Node itself exports, or undefined. It is no system call, so it is never repeated. */
export function loadExported(prototype: string): Native | undefined {
  try {
    return libc.func(prototype) as Native
  } catch {
    return undefined
  }
}

/** Undefined if this libc has no such function. */
function declareIfThere(prototype: string): Native | undefined {
  try {
    return declare(prototype)
  } catch {
    return undefined
  }
}

const prototypes = {
  openat: 'int openat(int, uintptr_t, int, uint32)',
  close: 'int close(int)',
  read: 'int64 read(int, uintptr_t, size_t)',
  poll: 'int poll(uintptr_t, uint64, int)',
  write: 'int64 write(int, uintptr_t, size_t)',
  pwrite: 'int64 pwrite(int, uintptr_t, size_t, int64)',
  fallocate: 'int fallocate(int, int, int64, int64)',
  ftruncate: 'int ftruncate(int, int64)',
  mkdirat: 'int mkdirat(int, uintptr_t, uint32)',
  mknodat: 'int mknodat(int, uintptr_t, uint32, uint64)',
  symlinkat: 'int symlinkat(uintptr_t, int, uintptr_t)',
  linkat: 'int linkat(int, uintptr_t, int, uintptr_t, int)',
  unlinkat: 'int unlinkat(int, uintptr_t, int)',
  renameat2: 'int renameat2(int, uintptr_t, int, uintptr_t, uint32)',
  readlinkat: 'int64 readlinkat(int, uintptr_t, uintptr_t, size_t)',
  fchown: 'int fchown(int, uint32, uint32)',
  fchownat: 'int fchownat(int, uintptr_t, uint32, uint32, int)',
  fchmod: 'int fchmod(int, uint32)',
  fchmodat: 'int fchmodat(int, uintptr_t, uint32, int)',
  futimens: 'int futimens(int, uintptr_t)',
  utimensat: 'int utimensat(int, uintptr_t, uintptr_t, int)',
  lsetxattr: 'int lsetxattr(uintptr_t, uintptr_t, uintptr_t, size_t, int)',
  fsetxattr: 'int fsetxattr(int, uintptr_t, uintptr_t, size_t, int)',
  lgetxattr: 'int64 lgetxattr(uintptr_t, uintptr_t, uintptr_t, size_t)',
  llistxattr: 'int64 llistxattr(uintptr_t, uintptr_t, size_t)',
  lremovexattr: 'int lremovexattr(uintptr_t, uintptr_t)',
  statx: 'int statx(int, uintptr_t, int, uint32, uintptr_t)',
  lseek: 'int64 lseek(int, int64, int)',
  copy_file_range: 'int64 copy_file_range(int, uintptr_t, int, uintptr_t, size_t, uint32)',
  memfd_create: 'int memfd_create(uintptr_t, uint32)',
  pipe2: 'int pipe2(uintptr_t, int)',
  fcntl: 'int fcntl(int, int, int64)',
  flock: 'int flock(int, int)',
  ioctl: 'int ioctl(int, uint64, int64)',
  umount2: 'int umount2(uintptr_t, int)',
  // for calls without a wrapper in older libcs; a call ignores what it has no parameter for
  syscall: 'int64 syscall(int64, int64, int64, int64, int64, int64)'
}

export const libcCalls: Readonly<Record<keyof typeof prototypes | 'openat2', Native>> = {
  ...(Object.fromEntries(
    Object.entries(prototypes).map(([name, prototype]) => [
      name,
      NOT_REPEATED.has(name) ? (libc.func(prototype) as Native) : declare(prototype)
    ])
  ) as Record<keyof typeof prototypes, Native>),
  openat2: declareSyscall()
}

/** getdents64(2) has been in glibc since 2.30; musl has it under another name. */
export const getdents64: Native | undefined = declareIfThere(
  'int64 getdents64(int, uintptr_t, size_t)'
)

/** No current libc has a wrapper for openat2(2). Its number is the same on every architecture. */
function declareSyscall(): Native {
  const SYS_openat2 = 437
  const syscall = declare('int64 syscall(int64, int64, uintptr_t, uintptr_t, size_t)')
  return (directory, path, how, size) => syscall(SYS_openat2, directory, path, how, size)
}

/** The error number of the last failure in this thread; valid until the next call. */
export function lastErrno(): number {
  return koffi.errno()
}

/** The address of a Buffer's bytes, which do not move as long as the Buffer lives. */
export function addressOf(buffer: Buffer): number {
  return Number(koffi.address(buffer))
}
