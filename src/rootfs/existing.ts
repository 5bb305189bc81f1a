/** A tree that is there already, in the planner's terms: it stands below the first layer. */
import type { ByteString } from '../bytes.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../plan/staged-entry.ts'
import { readSymlink } from '../sys/names.ts'
import { inodeKey } from '../sys/status.ts'
import type { EntryType } from '../tar/entry.ts'
import { walk, type Walked } from './walk.ts'

/** Calls back for every object, parents first; `inode` is equal for names of one file. */
export function readExisting(
  root: number,
  skip: ReadonlySet<ByteString>,
  add: (entry: StagedEntry, inode: string) => void
): void {
  for (const walked of walk(root, skip)) add(toEntry(walked), inodeKey(walked.status))
}

function toEntry({ path, status, directory, name }: Walked): StagedEntry {
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
    xattrs: [],
    staged: STAGED_NOWHERE
  }
}
