/**
 * The metadata that extracted files get: for root, everything in the image; for other users, what tar would give them.
 */
import { NO_METADATA } from '../../plan/no-metadata.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../../plan/staged-entry.ts'
import { identity } from '../../sys/identity.ts'

const SET_ID_BITS = 0o6000

/** A plain user owns the files that it extracts, without the privileges that another owner would give them. */
export function callerMetadata(entry: StagedEntry): StagedEntry {
  const { uid, gid } = identity()
  if (uid === 0) return entry
  const xattrs = entry.xattrs.filter(([name]) => name.startsWith('user.'))
  return { ...entry, uid, gid, mode: entry.mode & ~SET_ID_BITS, xattrs }
}

/** The destination itself, as the caller would make it. */
export function newDirectory(): StagedEntry {
  const { uid, gid, umask } = identity()
  const now = { sec: Math.floor(Date.now() / 1000), nsec: 0 }
  const described = { type: 'directory', path: '', staged: STAGED_NOWHERE } as const
  return { ...NO_METADATA, ...described, mode: 0o777 & ~umask, uid, gid, mtime: now }
}
