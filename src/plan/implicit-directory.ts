/** The metadata of a directory that no layer describes. */
import { NO_METADATA } from './no-metadata.ts'
import { toDisk, type PolicyChoice } from './policy/policies.ts'
import { STAGED_NOWHERE, type StagedEntry } from './staged-entry.ts'

/**
 * The image's root user, mode 0755 and the epoch, so that the result depends only on the image. (umoci uses the
 * caller's user and umask, and the current time.)
 * @throws ID_NOT_MAPPED if the root user has no mapping
 */
export function implicitDirectory(policy: PolicyChoice): StagedEntry {
  const entry = { ...NO_METADATA, type: 'directory', mode: 0o755 } as const
  return { ...NO_METADATA, ...toDisk(entry, policy), path: '', staged: STAGED_NOWHERE }
}
