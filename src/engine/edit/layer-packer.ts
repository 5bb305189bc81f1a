/** Objects of the disk on their way into a new layer. */
import type { PolicyChoice } from '../../plan/policy/policies.ts'
import { OWNER_XATTR } from '../../plan/policy/rootless-owner.ts'
import {
  ObjectPacker,
  type PackOptions,
  type TarOutput,
  type UnheldLookup
} from '../../rootfs/pack.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { putModesBack } from '../../sys/put-modes-back.ts'
import type { OnEvent } from '../operation/events.ts'
import { emptyXattr, strayOwner } from '../operation/warnings.ts'
import type { ChangeSettings } from './change-options.ts'

export interface PackedTree {
  /** Descriptor of the directory that paths start at. */
  root: number
  policy: PolicyChoice
  /** What else is known of an object than the disk holds. */
  unheld?: UnheldLookup
  /** Notes the modes of what has to be opened up. */
  ledger: Ledger | undefined
  /** Whether the SHA-256 of each file is wanted. */
  digests: boolean
}

/** Modes are packed as they were before the operation. Whoever opens one calls `release`. */
export function openLayerPacker(
  { root, policy, unheld, ledger, digests }: PackedTree,
  output: TarOutput,
  { epoch, timePrecision, onEvent }: Pick<ChangeSettings, 'epoch' | 'timePrecision' | 'onEvent'>
): ObjectPacker {
  if (ledger !== undefined) putModesBack(ledger)
  return new ObjectPacker(root, output, {
    rules: { policy, epoch },
    unheld,
    write: { precision: timePrecision },
    ledger,
    digests,
    onXattr: watchXattrs(policy, onEvent)
  })
}

/** Tells of attributes that a layer cannot hold, or perhaps should not. */
function watchXattrs({ kind }: PolicyChoice, onEvent: OnEvent): PackOptions['onXattr'] {
  let isTold = kind === 'rootless'
  return (path, [name, value]) => {
    if (value === '') onEvent(emptyXattr(path, name))
    if (isTold || name !== OWNER_XATTR) return
    isTold = true
    onEvent(strayOwner(path))
  }
}
