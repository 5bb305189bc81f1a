/** Locks with flock(2). */
import { failed } from './failed-call.ts'
import { isErrno } from './failure.ts'
import { libcCalls as libc } from './libc.ts'

const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4

export type LockKind = 'shared' | 'exclusive'

const operations: Readonly<Record<LockKind, number>> = { shared: LOCK_SH, exclusive: LOCK_EX }

/**
 * Waits for a flock(2), which is released when the descriptor is closed or its holder dies. A wait in the kernel would
 * make the process deaf to signals, so `pause` is awaited between tries instead, and can throw to give up.
 */
export async function lock(fd: number, kind: LockKind, pause: () => Promise<void>): Promise<void> {
  while (!tryLock(fd, kind)) await pause()
}

/** Takes a flock(2) if no process holds it. Returns whether it did. */
export function tryLock(fd: number, kind: LockKind): boolean {
  if (libc.flock(fd, operations[kind] | LOCK_NB) === 0) return true
  const error = failed('flock', undefined, fd, kind)
  if (isErrno(error, 'EAGAIN', 'EWOULDBLOCK')) return false
  throw error
}
