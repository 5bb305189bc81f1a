/** Objects of the disk on their way into a new layer or archive. */
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
import { emptyXattr, strayOwner, type Holder } from '../operation/warnings.ts'
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
  tree: PackedTree,
  output: TarOutput,
  { epoch, timePrecision, onEvent }: Pick<ChangeSettings, 'epoch' | 'timePrecision' | 'onEvent'>
): ObjectPacker {
  const write = { precision: timePrecision }
  return openPacker(tree, output, { epoch, write, onXattr: watchXattrs('A layer', tree, onEvent) })
}

/** The same for an archive of its own: exact, and with what other tools would not read in a layer. */
export function openArchivePacker(
  tree: PackedTree,
  output: TarOutput,
  onEvent: OnEvent
): ObjectPacker {
  const write = { precision: 'nanoseconds', aclTexts: true } as const
  const onXattr = watchXattrs('An archive', tree, onEvent)
  return openPacker(tree, output, { epoch: undefined, write, holes: true, onXattr })
}

type Form = Pick<PackOptions, 'write' | 'holes' | 'onXattr'> & Pick<ChangeSettings, 'epoch'>

function openPacker(
  { root, policy, unheld, ledger, digests }: PackedTree,
  output: TarOutput,
  { epoch, ...form }: Form
): ObjectPacker {
  if (ledger !== undefined) putModesBack(ledger)
  return new ObjectPacker(root, output, {
    rules: { policy, epoch },
    unheld,
    ledger,
    digests,
    ...form
  })
}

/** Tells of attributes that the holder cannot hold, or perhaps should not. */
function watchXattrs(
  holder: Holder,
  { policy }: PackedTree,
  onEvent: OnEvent
): PackOptions['onXattr'] {
  let isTold = policy.kind === 'rootless'
  return (path, [name, value]) => {
    if (value === '') onEvent(emptyXattr(path, name, holder))
    if (isTold || name !== OWNER_XATTR) return
    isTold = true
    onEvent(strayOwner(path))
  }
}
