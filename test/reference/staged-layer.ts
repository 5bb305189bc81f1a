/** Layers of the reference's kind, staged as a thread stages them, and how an unpack of them ends. */
import { OciUnpackError } from '../../src/errors.ts'
import type { EntryRules } from '../../src/plan/policy.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { LayerStage } from '../../src/rootfs/layer-stage.ts'
import { LayerEntries } from '../../src/worker/layer-entries.ts'
import { withOpen } from '../support/open-directory.ts'
import { Rejected, type Member } from './serial.ts'

/** @param staging an empty directory */
export function stageLayer(
  staging: string,
  layer: readonly Member[],
  overlay?: EntryRules['overlay']
): StagedEntry[] {
  const entries: StagedEntry[] = []
  withOpen(staging, (fd) => {
    const place = { directory: fd, path: '' }
    const lostXattr = (): void => undefined
    const stage = new LayerStage({ kind: 'staging', place, digests: true }, { lostXattr })
    const policy = { kind: 'exact', uidMap: [], gidMap: [] } as const
    const members = new LayerEntries({ policy, maxPathBytes: 4095, overlay }, stage, (entry) =>
      entries.push(entry)
    )
    for (const { entry, body } of layer) {
      members.entry(entry, 0, undefined)
      if (body.length > 0) members.data(body, 0, body.length, 0)
      members.end()
    }
    stage.close()
  })
  return entries
}

/** What an unpack gives; `rejected` where the layers cannot be applied. */
export function outcome(act: () => string): string {
  try {
    return act()
  } catch (error) {
    if (error instanceof Rejected) return 'rejected'
    if (error instanceof OciUnpackError && error.code === 'ENTRY_INVALID') return 'rejected'
    throw error
  }
}

/** Metadata that the reference gives to directories which no layer describes. */
export const IMPLICIT: StagedEntry = {
  type: 'directory',
  path: '',
  link: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { sec: 0, nsec: 0 },
  devMajor: 0,
  devMinor: 0,
  xattrs: [],
  staged: 0
}
