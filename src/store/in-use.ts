import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
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
 * Keeps garbage collections of this program away; waits while one runs. Works on a read-only layout, and without
 * effect where the file system has no locks: nobody can collect garbage there either.
 */
export function useBlobs(layoutPath: string): Hold {
  const fd = openBlobs(layoutPath)
  try {
    lock(fd, 'shared')
  } catch {
    // the reader can do without
  }
  return holdOn(fd)
}

/** Runs `act` with the blobs of the layout in use. */
export async function whileInUse<T>(layoutPath: string, act: () => Promise<T>): Promise<T> {
  const use = useBlobs(layoutPath)
  try {
    return await act()
  } finally {
    use.release()
  }
}

/** All blobs for the caller alone; undefined where somebody uses them. Throws SYSCALL_FAILED without locks. */
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

function holdOn(fd: number): Hold {
  let held = true
  return {
    release() {
      if (held) closeSync(fd)
      held = false
    }
  }
}
