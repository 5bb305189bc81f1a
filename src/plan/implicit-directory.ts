/** What a directory gets that no layer describes. */
import { NO_METADATA } from './no-metadata.ts'
import { toDisk, type PolicyChoice } from './policy/policies.ts'
import { STAGED_NOWHERE, type StagedEntry } from './staged-entry.ts'

/**
 * The image's root user, 0755 and the epoch, so that the result depends on nothing but the image. (umoci: the caller's
 * user and umask, and the time of day.)
 * @throws ID_NOT_MAPPED where the root user has no mapping
 */
export function implicitDirectory(policy: PolicyChoice): StagedEntry {
  const entry = { ...NO_METADATA, type: 'directory', mode: 0o755 } as const
  return { ...NO_METADATA, ...toDisk(entry, policy), path: '', staged: STAGED_NOWHERE }
}
