/** The entries of a tree manifest, in the order of its lines. */
import type { ByteString } from '../bytes.ts'
import type { MtreeEntry } from './entry.ts'

/** The entries of a tree manifest in the order of its lines, counted from 0. */
export interface EntryList {
  readonly count: number
  /** Relative to the root; `.` for the root itself. */
  path(index: number): ByteString
  isDirectory(index: number): boolean
  entry(index: number): MtreeEntry
}

export function listEntries(entries: readonly MtreeEntry[]): EntryList {
  return {
    count: entries.length,
    path: (index) => entries[index]!.path,
    isDirectory: (index) => entries[index]!.type === 'dir',
    entry: (index) => entries[index]!
  }
}
