/** Which files of a layer staging does not write. */
import { MaskedPaths } from '../plan/masked-paths.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'

/** Files that layers above seem to replace; or, when a layer is read again, all but those whose bodies begin here. */
export type Skips =
  | { kind: 'masked'; memory: SharedArrayBuffer; layer: number }
  | { kind: 'all-but'; bodies: ReadonlySet<number> }

/**
 * To be asked about every entry, in archive order: whether not to write it. An entry that might be asked for again gets
 * its `body`.
 */
export type IsSkipped = (entry: StagedEntry, body: number) => boolean

export function skipping(skips: Skips | undefined): IsSkipped {
  if (skips === undefined) return () => false
  return skips.kind === 'masked'
    ? masked(new MaskedPaths(skips.memory, skips.layer))
    : allBut(skips.bodies)
}

function masked(paths: MaskedPaths): IsSkipped {
  return (entry, body) => {
    paths.note(entry)
    if (entry.type !== 'file' || !paths.masks(entry.path)) return false
    entry.body = body
    return true
  }
}

function allBut(bodies: ReadonlySet<number>): IsSkipped {
  return (entry, body) => {
    entry.body = body
    return !bodies.has(body)
  }
}
