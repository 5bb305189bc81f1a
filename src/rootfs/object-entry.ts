/** Objects on disk in the planner's terms. */
import type { ObjectMetadata } from '../plan/policy/metadata-policy.ts'
import { withoutMarks } from '../plan/policy/layer-policy.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../plan/staged-entry.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import { readSymlink } from '../sys/names.ts'
import type { Xattr } from '../tar/entry.ts'
import type { Walked } from './walk.ts'
import { statusMetadata } from './status-metadata.ts'
import { readXattrs } from './xattrs.ts'

/** An object of a finished tree. Reading its attributes costs calls, so callers that need them pass them in. */
export function objectEntry(
  { path, status, directory, name }: Walked,
  xattrs: readonly Xattr[]
): StagedEntry & ObjectMetadata {
  // a socket is treated like any other leaf: it is kept or removed, never made
  const type = status.type === 'socket' ? 'fifo' : status.type
  return {
    type,
    path,
    link: type === 'symlink' ? readSymlink(directory, name) : '',
    ...statusMetadata(status),
    size: status.size,
    devMajor: status.devMajor,
    devMinor: status.devMinor,
    xattrs,
    staged: STAGED_NOWHERE
  }
}

/** An object in the directory of a layer as it was staged, with only what its image gave it. */
export function layerObjectEntry(walked: Walked, form: WhiteoutForm): StagedEntry {
  const object = objectEntry(walked, readXattrs(walked.directory, walked.name))
  return { ...object, ...withoutMarks(object, form) }
}
