/** Paths that somebody says have changed, so that only these need be looked at. */
import type { ByteString } from '../bytes.ts'
import { parentPath } from './names.ts'

/** As bytes, relative to the root of the tree; `.` is the root itself. */
export interface ChangedPaths {
  /** Changed, added or deleted themselves. A deleted directory stands for what was in it. */
  readonly entries: ReadonlySet<ByteString>
  /** Directories of which everything may differ, without a trailing slash. */
  readonly trees: ReadonlySet<ByteString>
}

/**
 * Whether what is not there any more was looked for: it is listed, or in what is listed and is not a directory now.
 * @param isDirectory whether a directory is at a path now
 */
export function isLookedAt(
  { entries, trees }: ChangedPaths,
  isDirectory: (path: ByteString) => boolean
): (path: ByteString) => boolean {
  return (path) => {
    if (entries.has(path) || trees.has('.')) return true
    for (let at = path; at !== ''; at = parentPath(at)) {
      if (trees.has(at)) return true
      if (entries.has(at) && !isDirectory(at)) return true
    }
    return false
  }
}
