import { failed, isErrno } from './failure.ts'
import { libcCalls as libc } from './libc.ts'

const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4

type LockKind = 'shared' | 'exclusive'

const operations: Readonly<Record<LockKind, number>> = { shared: LOCK_SH, exclusive: LOCK_EX }

/** Waits for a flock(2); it is released when the descriptor is closed or its holder dies. */
export function lock(fd: number, kind: LockKind): void {
  while (libc.flock(fd, operations[kind]) < 0) {
    const error = failed('flock', undefined, fd, kind)
    if (error.errno !== 'EINTR') throw error
  }
}

/** Takes a flock(2) if nobody holds it; says whether it did. */
export function tryLock(fd: number, kind: LockKind): boolean {
  if (libc.flock(fd, operations[kind] | LOCK_NB) === 0) return true
  const error = failed('flock', undefined, fd, kind)
  if (isErrno(error, 'EAGAIN', 'EWOULDBLOCK')) return false
  throw error
}
