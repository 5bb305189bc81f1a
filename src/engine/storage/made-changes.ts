/** What changed in a bundle since it was unpacked, with the help of its storage. */
import { display } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { allChanges, bundleChanges, type MaskOptions } from '../changes/bundle-changes.ts'
import type { Changes } from '../changes/find-changes.ts'
import type { LayerStorage, MadeBundle } from './layer-storage.ts'

/**
 * With `verifyDelta`, every file is looked at even so.
 * @throws HOOK_ANSWER_INVALID if the storage turns out to have left something out; what the storage and looking at the
 * tree throw
 */
export async function madeChanges(
  made: MadeBundle,
  storage: LayerStorage,
  {
    maskPaths = [],
    maskVolumes = true,
    verifyDelta = false
  }: MaskOptions & { verifyDelta?: boolean }
): Promise<Changes> {
  const { bundle, image, settings } = made
  const { jobs, signal } = settings
  const volumes = Object.keys(image.config.config?.Volumes ?? {})
  const search = { maskPaths, maskVolumes, volumes, jobs, signal }
  const changes = await bundleChanges(bundle, search, () => storage.changed(made))
  if (verifyDelta && !changes.isWhole) assertComplete(changes, await allChanges(bundle, search))
  return changes
}

/** @param all what looking at the whole tree found */
function assertComplete(listed: Changes, all: Changes): void {
  const known = new Set(listed.deltas.map(({ path }) => path))
  const left = all.deltas.filter(({ path }) => !known.has(path))
  if (left.length === 0) return
  throw new OciUnpackError('HOOK_ANSWER_INVALID', 'The list of changes is not complete.', {
    facts: {
      hook: 'repack.ociv1.layer.delta-list',
      found: left
        .slice(0, 10)
        .map(({ path }) => display(path))
        .join(', '),
      reason: `${left.length} changed paths are not in it`
    },
    hint: 'The hook must name everything that changed; additional paths do no harm.'
  })
}
