/** Lists the bundles in a directory. */
import { resolve } from 'node:path'
import { jobCount } from './edit/change-options.ts'
import { bundleNames } from './inventory/find-bundles.ts'
import { isGone, lookAtBundle, type ListedBundle } from './inventory/look-at-bundle.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { requireOptions } from './operation/required-options.ts'
import { withStorage } from './storage/storages.ts'

export interface ListBundlesOptions {
  /** The bundles are directly below it. */
  directory: string
  /** Hooks that made some of the bundles. They may know what changed without looking at every file. */
  hooks?: HooksOption
  /** How many processors look for changes; default all. */
  jobs?: number
  signal?: AbortSignal
  /** Gets warnings of bundles whose changes cannot be told from what the image has. */
  onEvent?: OnEvent
}

/**
 * All bundles directly below a directory, ours and umoci's, by name. One that is broken, or in which another process works, is listed
 * with its `error`. Nothing is changed, and nothing mounted.
 * @throws SYSCALL_FAILED if the directory cannot be read; HOOKS_INVALID, HOOKS_UNSAFE, ABORTED
 */
export async function listBundles(options: ListBundlesOptions): Promise<ListedBundle[]> {
  requireOptions(options, { directory: 'text' })
  const { signal, onEvent = () => undefined } = options
  const looking = { jobs: jobCount(options.jobs), signal, onEvent }
  const directory = resolve(options.directory)
  return asked({ path: directory }, () =>
    withStorage(options, onEvent, async (storage) => {
      const listed: ListedBundle[] = []
      for (const name of bundleNames(directory)) {
        const bundle = await lookAtBundle(directory, name, storage, looking)
        if (!isGone(directory, bundle)) listed.push(bundle)
      }
      return listed
    })
  )
}
