/** Objects of the disk on their way into a new layer. */
import type { PolicyChoice } from '../../plan/policy/policies.ts'
import { ObjectPacker } from '../../rootfs/pack.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { putModesBack } from '../../sys/put-modes-back.ts'
import { emptyXattr } from '../operation/warnings.ts'
import type { ChangeSettings } from './change-options.ts'
import type { LayerWriter } from './layer-writer.ts'

export interface PackedTree extends Pick<PolicyChoice, 'uidMap' | 'gidMap'> {
  /** Descriptor of the directory that paths start at. */
  root: number
  /** Notes the modes of what has to be opened up. */
  ledger: Ledger | undefined
  /** Whether the SHA-256 of each file is wanted. */
  digests: boolean
}

/** Modes are packed as they were before the operation. Whoever opens one calls `release`. */
export function openLayerPacker(
  { root, ledger, uidMap, gidMap, digests }: PackedTree,
  writer: LayerWriter,
  { epoch, timePrecision, onEvent }: ChangeSettings
): ObjectPacker {
  if (ledger !== undefined) putModesBack(ledger)
  return new ObjectPacker(root, writer, {
    rules: { policy: { kind: 'exact', uidMap, gidMap }, epoch },
    write: { precision: timePrecision },
    ledger,
    digests,
    onLostXattr: (path, xattr) => onEvent(emptyXattr(path, xattr))
  })
}
