/** The lock that keeps blobs from being collected. */
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { lock, tryLock } from '../sys/lock.ts'
import { attempt } from './file.ts'

/*
 * Whoever reads blobs, or stores them before an index names them, holds a shared flock(2) on the layout's `blobs`
 * directory; a garbage collection holds an exclusive one. So no blob goes away between the moment that a program
 * relies on it and the moment that the index does.
 */

/** A hold on the blobs of a layout; it ends with its holder. */
export interface Hold {
  /** May be called again. */
  release(): void
}

/**
 * Keeps garbage collections of this program away; `pause` is awaited while one runs, and throws to give up. Works on
 * a read-only layout, and without effect where the file system has no locks: nobody can collect garbage there either.
 */
export async function useBlobs(layoutPath: string, pause: () => Promise<void>): Promise<Hold> {
  const hold = holdOn(openBlobs(layoutPath))
  try {
    await lock(hold.fd, 'shared', pause)
  } catch (error) {
    if (isWithoutLocks(error)) return hold
    hold.release()
    throw error
  }
  return hold
}

function isWithoutLocks(error: unknown): boolean {
  return error instanceof OciUnpackError && error.code === 'SYSCALL_FAILED'
}

/** Runs `act` with the blobs of the layout in use. */
export async function whileInUse<T>(
  layoutPath: string,
  pause: () => Promise<void>,
  act: () => T | Promise<T>
): Promise<T> {
  const use = await useBlobs(layoutPath, pause)
  try {
    return await act()
  } finally {
    use.release()
  }
}

/** All blobs for the caller alone; undefined where somebody uses them. @throws SYSCALL_FAILED without locks. */
export function tryOwnBlobs(layoutPath: string): Hold | undefined {
  const fd = openBlobs(layoutPath)
  let owned = false
  try {
    owned = tryLock(fd, 'exclusive')
    return owned ? holdOn(fd) : undefined
  } finally {
    if (!owned) closeSync(fd)
  }
}

function openBlobs(layoutPath: string): number {
  const path = join(layoutPath, 'blobs')
  return attempt('open', path, () => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
}

function holdOn(fd: number): Hold & { fd: number } {
  let held = true
  return {
    fd,
    release() {
      if (held) closeSync(fd)
      held = false
    }
  }
}
