/** The metadata of a directory that no layer describes. */
import { idNotMapped, toHost, type IdMapping } from './id-map.ts'
import { NO_METADATA } from './no-metadata.ts'
import type { MetadataPolicy } from './policy.ts'
import { STAGED_NOWHERE, type StagedEntry } from './staged-entry.ts'

/**
 * What a directory gets that no layer describes: the image's root user, 0755 and the epoch, so that the result
 * depends on nothing but the image. (umoci: the caller's user and umask, and the time of day.)
 */
export function implicitDirectory(policy: MetadataPolicy): StagedEntry {
  return {
    ...NO_METADATA,
    type: 'directory',
    path: '',
    mode: 0o755,
    uid: rootOf('uid', policy.uidMap),
    gid: rootOf('gid', policy.gidMap),
    staged: STAGED_NOWHERE
  }
}

function rootOf(kind: 'uid' | 'gid', maps: readonly IdMapping[]): number {
  const id = toHost(maps, 0)
  if (id === undefined) throw idNotMapped(kind, 'container', 0)
  return id
}
