/**
 * Carries objects of a bundle over to one that is being made: packs them as for a layer, stages them in the new root file
 * system, and joins them with its tree, as one more layer over those of the image.
 */
import { BLOCK_BYTES } from '../../codec/compressor.ts'
import { Gathered } from '../../codec/gathered.ts'
import { ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { LayerStack } from '../../plan/layer-stack.ts'
import { representable } from '../../plan/layer-paths.ts'
import type { StagedEntry } from '../../plan/staged-entry.ts'
import { packWhiteout } from '../../plan/pack-entry.ts'
import { layerPolicy } from '../../plan/policy/layer-policy.ts'
import { writeRules } from '../../plan/policy/policies.ts'
import type { Directory } from '../../plan/tree.ts'
import type { MergeStep } from '../../plan/upgrade/merge-plan.ts'
import type { StagingPlace } from '../../rootfs/layer-stage.ts'
import { close, openDirectory } from '../../sys/files.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { makeDirectory } from '../../sys/names.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { endOfArchive } from '../../tar/writer.ts'
import { stageTar } from '../../worker/stage-tar.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { openLayerPacker, type PackedTree } from '../edit/open-packer.ts'
import { treeOf } from '../edit/packed-bundle.ts'
import type { Job } from '../extract/job.ts'
import { joinLayers, reportLostXattr } from '../extract/join-layers.ts'
import { metadataRules } from '../extract/metadata-rules.ts'
import {
  addExistingTree,
  existingPlanRoot,
  layerStaging,
  layerTrash
} from '../extract/plan-root.ts'
import type { UnpackSettings } from '../extract/unpack-options.ts'
import { heedSignals } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'
import { withWorkspaceIn } from '../place/with-workspace.ts'
import type { Workspace } from '../place/workspace.ts'
import type { NewBundle } from '../storage/layer-storage.ts'

export interface Carrying {
  /** The bundle that `write` takes objects from. */
  from: OpenBundle
  /** How the tree of the new bundle is packed, which `original` takes objects from. */
  originals: Pick<PackedTree, 'policy' | 'unheld'>
  steps: readonly MergeStep[]
}

interface CarryingFrom extends Carrying {
  originals: Omit<PackedTree, 'digests'>
}

/** Returns the new tree, in which only what was carried over is described. */
export async function carryOver(
  { settings }: Job,
  bundle: NewBundle,
  carrying: Carrying
): Promise<Directory> {
  const rootfs = openDirectory(bundle.fd, ROOTFS_DIRECTORY)
  try {
    const path = withoutHandles(handlePath(rootfs))
    return await withWorkspaceIn(rootfs, path, settings.onEvent, (workspace) =>
      carryInto(workspace, settings, carrying)
    )
  } finally {
    close(rootfs)
  }
}

async function carryInto(
  workspace: Workspace,
  settings: UnpackSettings,
  carrying: Carrying
): Promise<Directory> {
  const existing = workspace.existing!
  const { onEvent, policy } = settings
  const planRoot = existingPlanRoot(workspace, existing)
  const stack = new LayerStack({ keepDirlinks: false })
  addExistingTree(stack, workspace.destination, existing)
  const staging = layerStaging(planRoot, 0)
  makeDirectory(planRoot.fd, planRoot.staging, PRIVATE_MODE)
  makeDirectory(planRoot.fd, staging, PRIVATE_MODE)
  const folder = stack.layer(0, staging)
  const place = { directory: planRoot.fd, path: staging }
  onEvent({ type: 'phase', phase: 'pack' })
  const originals = { ...carrying.originals, root: planRoot.fd, ledger: existing.ledger }
  await stageAll(place, settings, { ...carrying, originals }, (entry) => folder.add(entry))
  onEvent({ type: 'phase', phase: 'join' })
  const how = { ...metadataRules(policy), discards: layerTrash(planRoot) }
  joinLayers(planRoot, stack, '', how, onEvent)
  return stack.root
}

async function stageAll(
  place: StagingPlace,
  { policy, pathBytes, onEvent, signal }: UnpackSettings,
  carrying: CarryingFrom,
  entry: (entry: StagedEntry) => void
): Promise<void> {
  const stage = stageTar(
    { kind: 'staging', place, digests: false, write: writeRules(policy) },
    { policy: layerPolicy(policy, 'none'), maxPathBytes: pathBytes },
    { entry, lostXattr: reportLostXattr(onEvent) }
  )
  try {
    const memory = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    const output = new Gathered(async (bytes) => {
      await heedSignals(signal)
      stage.push(bytes)
      return memory
    })
    await packAll(output, carrying, onEvent)
    await output.flush()
    stage.finish()
  } finally {
    stage.close()
  }
}

/** Objects keep their exact times. */
async function packAll(
  output: Gathered,
  { from, originals, steps }: CarryingFrom,
  onEvent: OnEvent
): Promise<void> {
  const how = { epoch: undefined, timePrecision: 'nanoseconds', onEvent } as const
  const local = openLayerPacker(treeOf(from, false), output, how)
  const image = openLayerPacker({ ...originals, digests: false }, output, how)
  try {
    for (const [index, step] of steps.entries()) {
      const path = representable(step.path)
      if (step.kind === 'delete') await local.header(packWhiteout(path))
      else if (step.kind === 'write') await local.add(path, path === '' ? '.' : path)
      else await image.add(step.from, path)
      onEvent({ type: 'packed', entries: index + 1, total: steps.length })
    }
    await output.write(endOfArchive())
  } finally {
    local.release()
    image.release()
  }
}
