/** A tree that exists already, in the planner's terms: it lies below the first layer. */
import type { ByteString } from '../bytes.ts'
import type { Mount } from '../plan/mounts.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Ledger } from '../sys/ledger.ts'
import { mountsBelow } from '../sys/mounts.ts'
import { inodeKey, status } from '../sys/status.ts'
import { objectEntry } from './object-entry.ts'
import { walk, type Walked } from './walk.ts'

export interface ExistingTree {
  fd: number
  /** Absolute, with no symbolic links in it. */
  path: ByteString
  /** Paths to leave out, with everything below them. */
  skip: ReadonlySet<ByteString>
  /** Notes the modes of what has to be opened up. */
  ledger?: Ledger | undefined
}

type Add = (entry: StagedEntry, inode: string, mounted: Mount['kind'] | undefined) => void

/**
 * Calls back for every object, parents first; `inode` is equal for names of one file. For a mount or a separate volume
 * in the tree, only its place is reported.
 */
export function readExisting({ fd, path, skip, ledger }: ExistingTree, add: Add): void {
  const { device } = status(fd, '')
  const points = mountPoints(path)
  const kindOf = (walked: Walked): Mount['kind'] | undefined => mountAt(walked, device, points)
  const staysOut = (directory: Walked): boolean => kindOf(directory) !== undefined
  for (const walked of walk(fd, skip, staysOut, ledger))
    add(objectEntry(walked, []), inodeKey(walked.status), kindOf(walked))
}

/** Overlayfs gives files other device numbers than directories, so the device of a file says nothing. */
function mountAt(
  { path, status }: Walked,
  device: number,
  points: ReadonlySet<ByteString>
): Mount['kind'] | undefined {
  if (path === '') return undefined
  if (status.isMountRoot || points.has(path)) return 'mount'
  return status.type === 'directory' && status.device !== device ? 'volume' : undefined
}

/** Relative to the tree. Before Linux 5.8 only the kernel's list shows bind mounts. */
function mountPoints(path: ByteString): ReadonlySet<ByteString> {
  const top = path === '/' ? '' : path
  return new Set(mountsBelow(top).map((point) => point.slice(top.length + 1)))
}
