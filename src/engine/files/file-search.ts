/** How one regular file of an image is found in the merged tree, and what it probably looks like in its layer. */
import type { ByteString } from '../../bytes.ts'
import { cleanPath } from '../../plan/names.ts'
import type { Inode } from '../../plan/tree.ts'
import type { WantedBody } from '../../rootfs/export-sink.ts'
import { findFilesWith, type FoundFile, type LayerIndexes } from './find-files.ts'
import type { ImageJob } from '../extract/job.ts'
import { bytesOf, regularFile } from './regular-file.ts'

export interface FileSearch {
  /** What to look for in the merged tree. */
  path: ByteString
  /** What the right file probably looks like in its layer. Undefined if nobody can know before the search has ended. */
  guess: WantedBody | undefined
  /** The file itself. @throws PATH_* */
  choose: (found: FoundFile) => FoundInode
  /** The error to show if even the path is not there. */
  missing?: (error: unknown) => unknown
}

export interface FoundInode {
  /** Relative to the root, without links. */
  path: ByteString
  inode: Inode
}

/** A path that exists only if something in it is a directory (path_resolution(7)): `..` in it, or a slash at its end. */
const NEEDS_DIRECTORY = /(?:^|\/)\.\.(?:\/|$)|\/\.?$/

/** @throws USAGE */
export function searchForPath(path: string | Uint8Array): FileSearch {
  const wanted = bytesOf(path)
  return {
    path: wanted,
    guess: NEEDS_DIRECTORY.test(wanted) ? undefined : { path: cleanPath(wanted) },
    choose: (found) => ({ path: found.path, inode: regularFile(wanted, found) })
  }
}

/** @throws PATH_*, and what reading throws */
export async function findOne(
  indexes: LayerIndexes,
  job: ImageJob,
  { path, choose, missing }: FileSearch
): Promise<FoundInode> {
  const [found] = await findFilesWith(indexes, job, [path], 'follow').catch((error: unknown) => {
    throw missing?.(error) ?? error
  })
  return choose(found!)
}
