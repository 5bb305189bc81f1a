/** Paths that are reported to have changed, so that only these need to be looked at. */
import type { ByteString } from '../bytes.ts'
import { parentPath } from './names.ts'

/** As bytes, relative to the root of the tree; `.` is the root itself. */
export interface ChangedPaths {
  /** Paths that were changed, added or deleted. A deleted directory stands for everything in it. */
  readonly entries: ReadonlySet<ByteString>
  /** Directories in which anything may have changed, without a trailing slash. */
  readonly trees: ReadonlySet<ByteString>
}

/**
 * Whether a path that no longer exists was looked for: it is listed, or it is below a listed path that is not a
 * directory now.
 * @param isDirectory whether a path is a directory now
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
