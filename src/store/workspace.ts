import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync
} from 'node:fs'
import { join } from 'node:path'
import { tryLock } from '../sys/lock.ts'
import { attempt } from './file.ts'
import { useBlobs, type Hold } from './in-use.ts'

/**
 * A private directory inside a layout, for files that are not finished. umoci's garbage collection removes every
 * `.umoci-*` directory whose flock(2) it can take, so ours bears such a name and is locked while it is in use: after
 * a crash any `umoci gc` tidies up. As long as it is open, the blobs of the layout are in use.
 */
export interface Workspace {
  /** The layout; absolute. */
  readonly layoutPath: string
  /** The directory itself; absolute. */
  readonly path: string
  /** Removes the directory and everything in it. May be called again. */
  close(): void
}

const PREFIX = '.umoci-'

/**
 * Waits while a garbage collection runs: `pause` is awaited meanwhile, and throws to give up. Throws SYSCALL_FAILED
 * where the layout cannot be written to.
 */
export async function openWorkspace(
  layoutPath: string,
  pause: () => Promise<void>
): Promise<Workspace> {
  const use = await useBlobs(layoutPath, pause)
  try {
    for (;;) {
      const path = attempt('mkdtemp', layoutPath, () => mkdtempSync(join(layoutPath, PREFIX)))
      const fd = openLocked(path)
      if (fd !== undefined) return workspace(layoutPath, path, fd, use)
    }
  } catch (error) {
    use.release()
    throw error
  }
}

/** The names of the workspaces in a layout, by whether somebody works in them. Links and files are none. */
export function listWorkspaces(layoutPath: string): { live: string[]; abandoned: string[] } {
  const found = { live: [] as string[], abandoned: [] as string[] }
  for (const name of attempt('readdir', layoutPath, () => readdirSync(layoutPath)).sort()) {
    if (!name.startsWith(PREFIX) || !isDirectory(join(layoutPath, name))) continue
    const fd = openLocked(join(layoutPath, name))
    if (fd === undefined) found.live.push(name)
    else {
      closeSync(fd)
      found.abandoned.push(name)
    }
  }
  return found
}

/** Removes a workspace that nobody works in; says whether it did. */
export function removeAbandoned(layoutPath: string, name: string): boolean {
  const path = join(layoutPath, name)
  const fd = openLocked(path)
  if (fd === undefined) return false
  try {
    attempt('rm', path, () => rmSync(path, { recursive: true, force: true }))
    return true
  } finally {
    closeSync(fd)
  }
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Undefined where somebody else has the lock, or had it and removed the directory. */
function openLocked(path: string): number | undefined {
  const fd = openIfThere(path)
  if (fd === undefined) return undefined
  if (tryLock(fd, 'exclusive') && isThere(path, fd)) return fd
  closeSync(fd)
  return undefined
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return attempt('open', path, () => {
      throw error
    })
  }
}

function isThere(path: string, fd: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino
}

function workspace(layoutPath: string, path: string, fd: number, use: Hold): Workspace {
  let open = true
  return {
    layoutPath,
    path,
    close() {
      if (!open) return
      open = false
      rmSync(path, { recursive: true, force: true })
      closeSync(fd)
      use.release()
    }
  }
}
