/** Shows the root file system of a bundle that hooks mounted again, for example after a reboot, or stops showing it. */
import { join } from 'node:path'
import { STATE_DIRECTORY } from '../bundle/files.ts'
import { handlePath } from '../sys/handle-path.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { requireOptions } from './operation/required-options.ts'
import { contextAt, type BundleDirectory } from './bundle/bundle-site.ts'
import { withBundleDirectory, type OpenBundle } from './bundle/open-bundle.ts'
import { assertOriginal, readOrigin } from './bundle/origin.ts'
import type { LayerStorage } from './storage/layer-storage.ts'
import { requireMaker, withStorage } from './storage/storages.ts'

export interface MountBundleOptions {
  /** Directory of a complete bundle. */
  bundle: string
  /** The hooks that made the bundle, if any did. */
  hooks?: HooksOption
  signal?: AbortSignal
  onEvent?: OnEvent
}

/**
 * Has the hooks that made a bundle mount its root file system again, with everything that was in it. Does nothing if it
 * is mounted, or if it is a directory and needs no mount. Waits for other processes that work in the bundle.
 * @throws BUNDLE_INVALID if there is no complete bundle; USAGE for other hooks than those that made it; HOOKS_INVALID if
 * they cannot mount it; HOOK_FAILED, HOOK_TIMEOUT, HOOK_ANSWER_INVALID, ABORTED: then it is as it was before
 */
export async function mountBundle(options: MountBundleOptions): Promise<void> {
  await atBundle(options, (maker, bundle) => maker.mount(bundle, options.signal))
}

/**
 * Has the hooks unmount the root file system until `mountBundle`. All changes in it are kept. Does nothing if it is not
 * mounted, or needs no mount.
 * @throws what `mountBundle` throws; BUNDLE_BUSY if something else is mounted in it
 */
export async function umountBundle(options: MountBundleOptions): Promise<void> {
  await atBundle(options, (maker, bundle) => maker.umount(bundle, options.signal))
}

async function atBundle(
  options: MountBundleOptions,
  act: (maker: LayerStorage, bundle: BundleDirectory) => Promise<void>
): Promise<void> {
  requireOptions(options, { bundle: 'text' })
  const { signal, onEvent = () => undefined } = options
  await asked({}, () =>
    withBundleDirectory(options.bundle, { use: 'exclusive', signal, onEvent }, (bundle) =>
      withStorage(options, onEvent, (storage) => ifMounted(bundle, storage, act))
    )
  )
}

async function ifMounted(
  { path, directory }: Pick<OpenBundle, 'path' | 'directory'>,
  chosen: LayerStorage,
  act: (maker: LayerStorage, bundle: BundleDirectory) => Promise<void>
): Promise<void> {
  const state = join(handlePath(directory), STATE_DIRECTORY)
  const origin = readOrigin({ state })
  assertOriginal(origin, state, path)
  const maker = requireMaker(origin, chosen, path)
  if (origin?.rootfs === 'directory') return
  await act(maker, { fd: directory, context: contextAt(path) })
}
