/** Joining one layer in its own directory. */
import { fromText } from '../../bytes.ts'
import type { LayeredStack } from '../../plan/layered-stack.ts'
import type { Operation } from '../../plan/operations.ts'
import type { PlainChoice } from '../../plan/policy/overlay.ts'
import type { WhiteoutForm } from '../../plan/whiteout-form.ts'
import { apply } from '../../rootfs/apply.ts'
import { readLayerDirectory } from '../../rootfs/layer-directory.ts'
import { removeTree } from '../../sys/remove-tree.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import type { OnEvent } from '../operation/events.ts'
import { reportLostXattr } from './join-layers.ts'
import { metadataRules } from './metadata-rules.ts'
import type { LayerDirectory } from './layer-directory.ts'
import { keepTimes } from '../place/keep-times.ts'
import { whileLending } from '../place/lent-modes.ts'
import { whileOpenedUp } from '../place/open-up.ts'

export interface JoinLayerOptions {
  form: WhiteoutForm
  /** Absolute path of the finished directory of a lower layer. Called only for those that are copied from. */
  directoryOf: (layer: number) => string
  policy: PlainChoice
  onEvent: OnEvent
}

/**
 * Completes the directory of one layer and removes its staging. Lower layers must already be complete, because targets
 * of hard links in them are copied.
 * @param operations what the layer's planner returned after the whole layer was folded
 */
export function joinLayerDirectory(
  directory: LayerDirectory,
  operations: readonly Operation[],
  { form, directoryOf, policy, onEvent }: JoinLayerOptions
): void {
  const lower = new Map<number, number>()
  try {
    for (const layer of copiedFrom(operations))
      lower.set(layer, openOperatorDirectory(fromText(directoryOf(layer))))
    whileLending(directory.fd, '', (ledger) => {
      apply(directory.fd, operations, {
        ...metadataRules(policy),
        onLostXattr: reportLostXattr(onEvent),
        ledger,
        layered: { form, lower }
      })
    })
  } finally {
    for (const fd of lower.values()) close(fd)
  }
  whileOpenedUp(directory.fd, () =>
    keepTimes(directory.fd, () => removeTree(directory.fd, directory.staging))
  )
}

function copiedFrom(operations: readonly Operation[]): Set<number> {
  return new Set(operations.flatMap((each) => (each.op === 'copy-up' ? [each.layer] : [])))
}

/** Adds a layer that is already in its directory, at `path`, on top of the stack. */
export function readLayer(
  stack: LayeredStack,
  layer: number,
  path: string,
  form: WhiteoutForm
): void {
  const committed = stack.committedLayer(layer)
  const fd = openOperatorDirectory(fromText(path))
  try {
    readLayerDirectory(fd, form, (entry) => committed.add(entry))
  } finally {
    close(fd)
  }
  committed.finish()
}
