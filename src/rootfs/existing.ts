/** A tree that is there already, in the planner's terms: it stands below the first layer. */
import type { ByteString } from '../bytes.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { inodeKey } from '../sys/status.ts'
import { objectEntry } from './object-entry.ts'
import { walk } from './walk.ts'

/** Calls back for every object, parents first; `inode` is equal for names of one file. */
export function readExisting(
  root: number,
  skip: ReadonlySet<ByteString>,
  add: (entry: StagedEntry, inode: string) => void
): void {
  for (const walked of walk(root, skip)) add(objectEntry(walked, []), inodeKey(walked.status))
}
