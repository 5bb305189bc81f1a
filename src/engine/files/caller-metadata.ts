/** What of an image's metadata the files have that are extracted: everything for root; else what tar gives a plain user. */
import { NO_METADATA } from '../../plan/no-metadata.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../../plan/staged-entry.ts'
import { identity } from '../../sys/identity.ts'

const SET_ID_BITS = 0o6000

/** A plain user owns what it extracts, and cannot have the privileges that another owner would give. */
export function callerMetadata(entry: StagedEntry): StagedEntry {
  const { uid, gid } = identity()
  if (uid === 0) return entry
  const xattrs = entry.xattrs.filter(([name]) => name.startsWith('user.'))
  return { ...entry, uid, gid, mode: entry.mode & ~SET_ID_BITS, xattrs }
}

/** A directory that no image describes: as the caller would make it. */
export function newDirectory(): StagedEntry {
  const { uid, gid, umask } = identity()
  const now = { sec: Math.floor(Date.now() / 1000), nsec: 0 }
  const described = { type: 'directory', path: '', staged: STAGED_NOWHERE } as const
  return { ...NO_METADATA, ...described, mode: 0o777 & ~umask, uid, gid, mtime: now }
}
