/** Removes old bundles, but none that anybody uses and nothing that cannot be unpacked again. */
import { join, resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { byAge, newestOf, type Dated } from '../plan/prune.ts'
import { contextAt } from './bundle/bundle-site.ts'
import { withBundle } from './bundle/open-bundle.ts'
import { readOrigin } from './bundle/origin.ts'
import { deleteBundle } from './delete-bundle.ts'
import { jobCount } from './edit/change-options.ts'
import { bundleNames, hasMounts, isRootOfProcess, linksTo } from './inventory/find-bundles.ts'
import { hasChanged, type LookOptions } from './inventory/has-changed.ts'
import {
  assertNotTaken,
  isGone,
  isShown,
  look,
  problem,
  type ListedBundle
} from './inventory/look-at-bundle.ts'
import { whileSettled } from './inventory/selecting-link.ts'
import { mountBundle, umountBundle } from './mount-bundle.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { requireOptions } from './operation/required-options.ts'
import type { ListBundlesOptions } from './list-bundles.ts'
import type { LayerStorage } from './storage/layer-storage.ts'
import { requireMaker, withStorage } from './storage/storages.ts'

export interface PruneBundlesOptions extends ListBundlesOptions {
  /** How many bundles of each image stay at least: the newest ones; 1 or more. */
  keep: number
  /** Remove bundles with changes, too, which are then lost; default false. */
  force?: boolean
  /** Remove nothing, and say what would be removed; default false. */
  dryRun?: boolean
}

/** Why a bundle stays. */
export type KeptBecause = 'newest' | 'selected' | 'mounted' | 'used' | 'changed' | 'failed'

export interface PrunedBundle extends Pick<ListedBundle, 'name' | 'image' | 'unpacked' | 'error'> {
  /** Undefined if it was removed, or would be. */
  kept?: KeptBecause
}

/**
 * Removes all bundles directly below a directory but the newest `keep` of each image, with what hooks made for them. Bundles stay in any case that are
 * mounted or have a mount in them, that are the root of a process, or that a symbolic link in the directory leads to; and, without `force`, those with
 * changes. One that is broken or cannot be removed stays, with its `error`. The oldest come first.
 * @throws USAGE; SYSCALL_FAILED if the directory cannot be read; HOOKS_INVALID, HOOKS_UNSAFE, ABORTED
 */
export async function pruneBundles(options: PruneBundlesOptions): Promise<PrunedBundle[]> {
  requireOptions(options, { directory: 'text', keep: 'number' })
  const keep = keepCount(options.keep)
  const { signal, onEvent = () => undefined, hooks } = options
  const looking = { jobs: jobCount(options.jobs), signal, onEvent }
  const directory = resolve(options.directory)
  return asked({ path: directory }, () =>
    withStorage(options, onEvent, async (storage) => {
      const bundles = bundleNames(directory).map((name) => look(directory, name))
      const newest = newestOf(bundles.filter(isDated), keep)
      const pruner = new Pruner(directory, { ...options, ...looking, storage, hooks })
      const pruned: PrunedBundle[] = []
      for (const bundle of bundles.sort(oldestFirst)) {
        throwIfAborted(signal)
        const result = newest.has(bundle.name)
          ? keptAs(bundle, 'newest')
          : await pruner.prune(bundle)
        if (!isGone(directory, result)) pruned.push(result)
      }
      return pruned
    })
  )
}

/** @throws USAGE */
function keepCount(keep: unknown): number {
  if (Number.isSafeInteger(keep) && (keep as number) >= 1) return keep as number
  throw new OciUnpackError(
    'USAGE',
    'How many bundles to keep must be a whole number of 1 or more.',
    {
      facts: { found: String(keep) },
      hint: 'Set {keep}. To remove a single bundle, use `bundle delete`.'
    }
  )
}

function isDated(bundle: ListedBundle): bundle is ListedBundle & Dated {
  return bundle.error === undefined && bundle.image !== undefined && bundle.unpacked !== undefined
}

function oldestFirst(a: ListedBundle, b: ListedBundle): number {
  return byAge({ unpacked: '', ...a }, { unpacked: '', ...b })
}

function keptAs({ name, image, unpacked, error }: ListedBundle, kept?: KeptBecause): PrunedBundle {
  return {
    name,
    ...(image === undefined ? {} : { image }),
    ...(unpacked === undefined ? {} : { unpacked }),
    ...(kept === undefined ? {} : { kept }),
    ...(error === undefined ? {} : { error })
  }
}

interface PrunerOptions extends LookOptions, Pick<PruneBundlesOptions, 'force' | 'dryRun'> {
  storage: LayerStorage
  hooks: HooksOption | undefined
}

class Pruner {
  private readonly directory: string
  private readonly options: PrunerOptions

  constructor(directory: string, options: PrunerOptions) {
    this.directory = directory
    this.options = options
  }

  async prune(bundle: ListedBundle): Promise<PrunedBundle> {
    if (bundle.error !== undefined) return keptAs(bundle, 'failed')
    try {
      return keptAs(bundle, await this.removeUnlessNeeded(bundle.name))
    } catch (thrown) {
      const error = problem(thrown, join(this.directory, bundle.name))
      return keptAs({ ...bundle, error }, 'failed')
    }
  }

  /** Looks once more before it removes: looking for changes takes its time. */
  private async removeUnlessNeeded(name: string): Promise<KeptBecause | undefined> {
    const path = join(this.directory, name)
    const { storage, force, dryRun } = this.options
    const used = this.useOf(name)
    if (used !== undefined) return used
    assertNotTaken(path)
    requireMaker(readOrigin(contextAt(path)), storage, path)
    if (force !== true && (await this.isChanged(path))) return 'changed'
    return whileSettled(this.directory, this.options.signal, async () => {
      const usedNow = this.useOf(name)
      if (usedNow === undefined && dryRun !== true)
        await deleteBundle({ bundle: path, ...this.forStory() })
      return usedNow
    })
  }

  private useOf(name: string): KeptBecause | undefined {
    if (linksTo(this.directory, name).length > 0) return 'selected'
    if (hasMounts(this.directory, name)) return 'mounted'
    return isRootOfProcess(join(this.directory, name)) ? 'used' : undefined
  }

  /** Has hooks mount for the look what they have not mounted, and unmount it even if the look was stopped. */
  private async isChanged(path: string): Promise<boolean> {
    if (isShown(path)) return this.look(path)
    await mountBundle({ bundle: path, ...this.forStory() })
    try {
      return await this.look(path)
    } finally {
      const { hooks, onEvent } = this.forStory()
      await umountBundle({ bundle: path, onEvent, ...(hooks === undefined ? {} : { hooks }) })
    }
  }

  private look(path: string): Promise<boolean> {
    const { storage } = this.options
    return withBundle(path, { use: 'shared', ...this.options }, (bundle) =>
      hasChanged(bundle, storage, this.options)
    )
  }

  private forStory(): { hooks?: HooksOption; signal?: AbortSignal } & Pick<LookOptions, 'onEvent'> {
    const { hooks, signal, onEvent } = this.options
    return {
      onEvent,
      ...(hooks === undefined ? {} : { hooks }),
      ...(signal === undefined ? {} : { signal })
    }
  }
}
