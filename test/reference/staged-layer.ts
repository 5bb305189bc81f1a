/** Layers of the reference's kind, staged as a thread stages them, and how an unpack of them ends. */
import { hash } from 'node:crypto'
import { OciUnpackError } from '../../src/errors.ts'
import { layerPolicy } from '../../src/plan/policy/layer-policy.ts'
import type { PlainChoice } from '../../src/plan/policy/overlay.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../../src/plan/staged-entry.ts'
import type { WhiteoutForm } from '../../src/plan/whiteout-form.ts'
import { LayerStage } from '../../src/rootfs/layer-stage.ts'
import type { Skips } from '../../src/rootfs/skips.ts'
import { LayerEntries } from '../../src/worker/layer-entries.ts'
import { withOpen } from '../support/open-directory.ts'
import { Rejected, type Member } from './serial.ts'

const EXACT: PlainChoice = { kind: 'exact', uidMap: [], gidMap: [] }

/**
 * @param staging an empty directory
 * @param form of the directory that the layer is to become
 * @param skips what is not written; by default everything is
 */
export function stageLayer(
  staging: string,
  layer: readonly Member[],
  form: WhiteoutForm = 'none',
  skips?: Skips
): StagedEntry[] {
  const entries: StagedEntry[] = []
  withOpen(staging, (fd) => {
    const place = { directory: fd, path: '' }
    const ignore = (): void => undefined
    const report = { lostXattr: ignore, holes: ignore }
    const skipping = skips === undefined ? {} : { skips }
    const stage = new LayerStage({ kind: 'staging', place, digests: true, ...skipping }, report)
    const rules = { policy: layerPolicy(EXACT, form), maxPathBytes: 4095 }
    const members = new LayerEntries(rules, stage, (entry) => entries.push(entry))
    for (const [index, { entry, body }] of layer.entries()) {
      members.entry(entry, index, undefined)
      if (body.length > 0) members.data(body, 0, body.length, 0)
      members.end()
      const staged = entries.at(-1)!
      if (staged.type === 'file' && staged.staged !== STAGED_NOWHERE)
        staged.sha256 = hash('sha256', body, 'binary')
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
