import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from '../sys/lock.ts'
import { attempt } from './file.ts'

/**
 * A private directory inside a layout, for files that are not finished. umoci's garbage collection removes every
 * `.umoci-*` directory whose flock(2) it can take, so ours bears such a name and is locked while it is in use: after
 * a crash any `umoci gc` tidies up.
 */
export interface Workspace {
  /** The layout; absolute. */
  readonly layoutPath: string
  /** The directory itself; absolute. */
  readonly path: string
  /** Removes the directory and everything in it. May be called again. */
  close(): void
}

/** Throws SYSCALL_FAILED where the layout cannot be written to. */
export function openWorkspace(layoutPath: string): Workspace {
  for (;;) {
    const path = attempt('mkdtemp', layoutPath, () => mkdtempSync(join(layoutPath, '.umoci-')))
    const fd = openLocked(path)
    if (fd !== undefined) return workspace(layoutPath, path, fd)
  }
}

/** Undefined where a garbage collection came between the creation and the lock. */
function openLocked(path: string): number | undefined {
  const fd = openIfThere(path)
  if (fd === undefined) return undefined
  if (tryLock(fd, 'exclusive') && isThere(path, fd)) return fd
  closeSync(fd)
  return undefined
}

function openIfThere(path: string): number | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
  return attempt('open', path, () => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
}

function isThere(path: string, fd: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino
}

function workspace(layoutPath: string, path: string, fd: number): Workspace {
  let open = true
  return {
    layoutPath,
    path,
    close() {
      if (!open) return
      open = false
      rmSync(path, { recursive: true, force: true })
      closeSync(fd)
    }
  }
}
