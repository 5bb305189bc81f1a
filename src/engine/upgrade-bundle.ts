/** Unpacks a new image and carries the local changes of a bundle over. This file tells the story. */
import { realpathSync } from 'node:fs'
import { sourceManifest } from '../bundle/metadata.ts'
import { display, fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import type { Digest } from '../image/digest.ts'
import { cleanPath } from '../plan/names.ts'
import { conflictRules } from '../plan/upgrade/conflict-rules.ts'
import type { KeptChange, MergeConflict, MergePlan, Resolve } from '../plan/upgrade/merge-plan.ts'
import { handlePath } from '../sys/handle-path.ts'
import { parseImageName } from '../transports/image-name.ts'
import { assertOutside } from './bundle/assert-outside.ts'
import { withBundle, type OpenBundle } from './bundle/open-bundle.ts'
import { normalizeChange, type ChangeSettings } from './edit/change-options.ts'
import type { Job } from './extract/job.ts'
import type { UnpackOptions } from './extract/unpack-options.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'
import { withStorage } from './storage/storages.ts'
import { unpackThen, type UnpackResult } from './unpack.ts'
import { findLocalChanges, type LocalChanges } from './upgrade/local-changes.ts'
import { carryOut, planMerge } from './upgrade/merge-bundle.ts'

/** How the new image is unpacked. Id maps, `rootless` and `manifest` are those of the old bundle. */
export interface UpgradeBundleOptions extends Omit<
  UnpackOptions,
  'uidMap' | 'gidMap' | 'rootless' | 'manifest'
> {
  /** The old bundle, which stays as it is. */
  bundle: string
  /**
   * What to do where both the bundle and the image have changed a path: `keep`, `new` or `both`, or one of them with a
   * pattern, such as `both:etc/**`. The last rule about a path counts (docs/upgrade.md). A conflict without a rule is a
   * failure.
   */
  conflicts?: readonly string[]
  /** Paths that local changes are carried over from, with all below them; default: all. */
  only?: readonly string[]
  /** Plan only: nothing is made, and no hooks make anything. */
  dryRun?: boolean
}

export interface UpgradeBundleResult extends UnpackResult {
  /** Local changes that were carried over without a conflict, sorted by path. */
  kept: readonly KeptChange[]
  conflicts: readonly MergeConflict[]
}

/**
 * Unpacks an image into a new bundle, and carries over what was changed in an old one, by a three-way merge. The old
 * bundle stays as it is. What was carried over counts as changed in the new bundle, too: `repack` adds it to the new
 * image. On any failure, nothing of the new bundle remains.
 * @throws UPGRADE_CONFLICT if no rule decides a conflict; the event `merge` has told of all of them by then. Also what
 * `unpack` throws, and what `repack` throws about the old bundle
 */
export async function upgradeBundle(options: UpgradeBundleOptions): Promise<UpgradeBundleResult> {
  requireOptions(options, { bundle: 'text', image: 'text', destination: 'text' })
  const resolve = conflictRules(options.conflicts ?? [])
  const only = onlyPaths(options.only ?? [])
  const settings = settingsOf(options)
  const { signal, onEvent } = settings
  return asked({}, () =>
    withBundle(options.bundle, { use: 'shared', signal, onEvent }, async (old) => {
      const inside = realpathSync(handlePath(old.directory))
      assertOutside(inside, options.destination, 'The new bundle', 'the old one')
      const changes = await withStorage(options, onEvent, (storage) =>
        findLocalChanges(old, storage, only, settings)
      )
      return makeUpgraded(old, changes, options, resolve)
    })
  )
}

/** Clean paths; none if all count. An empty text is a variable that was not set, and means neither all nor nothing. */
function onlyPaths(texts: readonly string[]): ByteString[] {
  if (texts.includes(''))
    throw new OciUnpackError('USAGE', 'A path to limit the upgrade to is empty.', {
      hint: 'Give {only} a path in the root file system, or / for all of it.'
    })
  const paths = texts.map((path) => cleanPath(fromText(path)))
  return paths.includes('') ? [] : paths
}

async function makeUpgraded(
  old: OpenBundle,
  changes: LocalChanges,
  options: UpgradeBundleOptions,
  resolve: Resolve
): Promise<UpgradeBundleResult> {
  const { dryRun = false, onEvent = () => undefined } = options
  let result: UpgradeBundleResult | undefined
  try {
    await unpackThen(newBundleOptions(options, old), async (job, bundle) => {
      const plan = await planMerge(job, bundle, { from: old, changes, resolve })
      result = resultOf(job, plan)
      onEvent({ type: 'merge', kept: plan.kept, conflicts: plan.conflicts })
      if (dryRun) throw new PlannedOnly()
      assertSettled(plan, old.path)
      await carryOut(job, bundle, old, plan)
      await bundle.upgraded({ bundle: old.path, manifestDigest: digestOf(old) })
    })
  } catch (error) {
    if (!(error instanceof PlannedOnly)) throw error
  }
  return result!
}

/** Ends an unpack whose bundle is not wanted, so that nothing of it remains. */
class PlannedOnly extends Error {}

function resultOf({ image, settings }: Job, { kept, conflicts }: MergePlan): UpgradeBundleResult {
  const manifestDigest = target(image.descriptorPath).digest
  return { destination: settings.destination, manifestDigest, kept, conflicts }
}

function digestOf({ metadata }: OpenBundle): Digest {
  return sourceManifest(metadata).digest as Digest
}

/** A plan leaves nothing in layouts and storages either. */
function newBundleOptions(options: UpgradeBundleOptions, old: OpenBundle): UnpackOptions {
  const { rootless, lazy } = old.metadata
  const { layout, hooks, dryRun = false, ...others } = options
  return {
    ...others,
    ...(dryRun || layout === undefined ? {} : { layout }),
    ...(dryRun || hooks === undefined ? {} : { hooks }),
    ...old.mapped,
    rootless,
    manifest: lazy === undefined ? 'full' : 'lazy'
  }
}

/** How the old bundle is compared. */
function settingsOf(options: UpgradeBundleOptions): ChangeSettings {
  const { image, jobs, registry, signal, onEvent } = options
  const change = {
    image,
    ...(jobs === undefined ? {} : { jobs }),
    ...(registry === undefined ? {} : { registry }),
    ...(signal === undefined ? {} : { signal }),
    ...(onEvent === undefined ? {} : { onEvent })
  }
  return normalizeChange(change, parseImageName(image))
}

/** Nothing is guessed. */
function assertSettled({ conflicts }: MergePlan, path: string): void {
  const open = conflicts.filter(({ resolution }) => resolution === undefined)
  const [first] = open
  if (first === undefined) return
  throw new OciUnpackError(
    'UPGRADE_CONFLICT',
    'The bundle and the new image have changed the same paths in different ways.',
    {
      facts: { path, entry: display(first.path), found: conflictCount(open.length) },
      hint: 'Say with {conflicts} for each of them who wins (keep, new or both). {dryRun} lists all of them.'
    }
  )
}

function conflictCount(count: number): string {
  return count === 1 ? '1 conflict' : `${count} conflicts`
}
