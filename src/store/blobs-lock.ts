/** Keeps garbage collections and readers of blobs apart. */
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { lock, tryLock } from '../sys/lock.ts'
import { attempt } from './file.ts'

/*
 * A process that reads blobs, or stores them before an index names them, holds a shared flock(2) on the layout's
 * `blobs` directory. A garbage collection holds an exclusive one. So no blob disappears between the moment when a
 * program relies on it and the moment when the index does.
 */

/** Keeps the blobs of a layout until it is released or its process ends. */
export interface Hold {
  /** May be called again. */
  release(): void
}

/**
 * Keeps garbage collections of this program away. While one runs, `pause` is awaited, and can throw to give up. Works
 * on a read-only layout. Has no effect on a file system without locks, where garbage cannot be collected either.
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

/** Runs `act` while the blobs of the layout are in use. */
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

/** Locks all blobs for the caller alone; undefined if they are in use. @throws SYSCALL_FAILED without locks */
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
