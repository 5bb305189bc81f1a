/** An object on disk as a tar entry. */
import { STAGED_NOWHERE, type StagedEntry } from '../plan/staged-entry.ts'
import { readSymlink } from '../sys/names.ts'
import type { EntryType, Xattr } from '../tar/entry.ts'
import type { Walked } from './walk.ts'

/** An object on disk in the planner's terms; its attributes cost calls, so they are read by who needs them. */
export function objectEntry(
  { path, status, directory, name }: Walked,
  xattrs: readonly Xattr[]
): StagedEntry {
  // a socket is a leaf like any other here: it is kept or removed, never made
  const type: EntryType = status.type === 'socket' ? 'fifo' : status.type
  return {
    type,
    path,
    link: type === 'symlink' ? readSymlink(directory, name) : '',
    mode: status.mode,
    uid: status.uid,
    gid: status.gid,
    size: status.size,
    mtime: { sec: status.mtimeSec, nsec: status.mtimeNsec },
    atime: { sec: status.atimeSec, nsec: status.atimeNsec },
    devMajor: status.devMajor,
    devMinor: status.devMinor,
    xattrs,
    staged: STAGED_NOWHERE
  }
}
