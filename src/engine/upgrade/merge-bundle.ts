/** Merges the local changes of a bundle into a new one, which has the tree of its image and is not visible yet. */
import { UnheldMemory } from '../../bundle/unheld.ts'
import type { ByteString } from '../../bytes.ts'
import { target } from '../../image/choice.ts'
import { writeRules } from '../../plan/policy/policies.ts'
import type { Directory } from '../../plan/tree.ts'
import type { MergePlan, Resolve } from '../../plan/upgrade/merge-plan.ts'
import { mergeTrees } from '../../plan/upgrade/merge-trees.ts'
import { isDirectoryEntry, isSameObject } from '../../plan/upgrade/same-object.ts'
import { DiskTreeView } from '../../rootfs/tree-view.ts'
import { putModesBack } from '../../sys/put-modes-back.ts'
import { status } from '../../sys/status.ts'
import { statementOf } from '../bundle/for-outside.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { addToUnheldFile, readUnheldFile } from '../bundle/unheld-file.ts'
import type { PackedTree } from '../edit/open-packer.ts'
import { packingPolicy } from '../edit/packing-policy.ts'
import type { Job } from '../extract/job.ts'
import { isRootless } from '../extract/rootless.ts'
import { reportUnheld } from '../extract/unheld-objects.ts'
import type { NewBundle } from '../storage/layer-storage.ts'
import { withNewRootfs } from '../storage/new-rootfs.ts'
import { carryOver } from './carry-over.ts'
import { withSides, type LocalChanges } from './local-changes.ts'

export interface MergeFrom {
  from: OpenBundle
  changes: LocalChanges
  resolve: Resolve
}

/** What is to be done; nothing is changed. */
export async function planMerge(
  { settings }: Job,
  bundle: NewBundle,
  { from, changes, resolve }: MergeFrom
): Promise<MergePlan> {
  const { outside } = statementOf(settings.policy)
  const rootless = from.metadata.rootless
  return withNewRootfs(bundle, async (rootfs, ledger) => {
    if (from.ledger !== undefined) putModesBack(from.ledger)
    const local = new DiskTreeView(from.rootfs, from.outside, from.ledger)
    const image = new DiskTreeView(rootfs, outside, ledger)
    try {
      return mergeTrees({
        changes: await withSides(changes, local, image),
        local,
        image,
        isDirectory: isDirectoryEntry,
        isSame: (one, other) => isSameObject(one, other, rootless),
        resolve
      })
    } finally {
      local.release()
      image.release()
    }
  })
}

/** The tree manifest stays that of the image, so what is carried over counts as a local change of the new bundle. */
export async function carryOut(
  job: Job,
  bundle: NewBundle,
  from: OpenBundle,
  { steps }: MergePlan
): Promise<void> {
  if (steps.length === 0) return
  const originals = await howPacked(job, bundle)
  const tree = await carryOver(job, bundle, { from, originals, steps })
  await rememberUnheld(job, bundle, tree, new Set(steps.map(({ path }) => path)))
}

/** With all that the disk of the new bundle does not hold. */
async function howPacked(
  { image, settings: { policy } }: Job,
  bundle: NewBundle
): Promise<Pick<PackedTree, 'policy' | 'unheld'>> {
  const { uidMap, gidMap } = policy
  const packed = { policy: packingPolicy(isRootless({ policy }), { uidMap, gidMap }) }
  const { digest } = target(image.descriptorPath)
  const document = readUnheldFile(bundle.path, digest)
  if (document === undefined) return packed
  return withNewRootfs(bundle, (rootfs) => {
    const unheld = new UnheldMemory(document, status(rootfs, ''))
    return { ...packed, unheld: (object) => unheld.of(object) }
  })
}

/** Also of what was carried over, so that a repack of the new bundle packs all of it. */
async function rememberUnheld(
  { image, settings: { policy, onEvent } }: Job,
  bundle: NewBundle,
  tree: Directory,
  came: ReadonlySet<ByteString>
): Promise<void> {
  if (!writeRules(policy).isLenient) return
  const { digest } = target(image.descriptorPath)
  const objects = reportUnheld(tree, policy, true, onEvent)
  await withNewRootfs(bundle, (rootfs, ledger) =>
    addToUnheldFile(bundle.path, digest, { rootfs, ledger }, objects, came)
  )
}
