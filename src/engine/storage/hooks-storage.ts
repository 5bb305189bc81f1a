/** The storage of hooks: the operator's programs or the caller's functions decide where layers live. */
import { OciUnpackError, withFacts } from '../../errors.ts'
import { said, type HookSet } from '../../hooks/calls.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { target } from '../../image/choice.ts'
import type { Digest } from '../../image/digest.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import { withBundleSite, type BundleDirectory } from '../bundle/bundle-site.ts'
import { whileOwned } from '../bundle/claim-bundle.ts'
import { writeOrigin, type Origin } from '../bundle/origin.ts'
import type { Job } from '../extract/job.ts'
import type { OnEvent } from '../operation/events.ts'
import { openHooks, type HooksOption } from '../operation/open-hooks.ts'
import { holdsLess } from '../operation/warnings.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'
import { deltaContext, newContext, refreshContext, selectedContext } from './hook-contexts.ts'
import { HookedBundle } from './hooked-bundle.ts'
import type { Collected, LayerStorage, MadeBundle, NewBundle, Selected } from './layer-storage.ts'
import { mountAgain, unmount } from './mounted-rootfs.ts'
import { lockSelection, lockStorage } from './storage-locks.ts'
import { isRootless } from '../extract/rootless.ts'
import { pruneManifests } from './tree-manifest-cache.ts'

/** Undefined if no hooks were requested or none are set up. */
export function openHooksStorage(
  { hooks }: { hooks?: HooksOption | undefined },
  onEvent: OnEvent
): LayerStorage | undefined {
  const opened = openHooks(hooks, onEvent)
  return opened === undefined ? undefined : new HooksStorage(opened.set, opened.close)
}

class HooksStorage implements LayerStorage {
  readonly title: string
  readonly close: () => Promise<void>
  private readonly hooks: HookSet

  constructor(hooks: HookSet, close: () => Promise<void>) {
    this.title = `the hooks "${hooks.name}"`
    this.close = close
    this.hooks = hooks
  }

  /** Only the hooks that made a bundle know what belongs to it. */
  made(origin: Origin | undefined): boolean {
    return origin?.hooks === this.hooks.name
  }

  async withNewBundle(job: Job, act: (bundle: NewBundle) => Promise<void>): Promise<void> {
    const { hooks } = this
    assertFits(job, hooks)
    if (hooks.precision === 'seconds' || hooks.xattrs !== undefined)
      job.settings.onEvent(holdsLess(hooks))
    const { image, settings } = job
    const site = {
      bundle: settings.destination,
      digest: target(image.descriptorPath).digest,
      owner: hooks.owner,
      recover: async (bundle: BundleContext) => {
        await hooks.call('abort', { ...newContext(job, bundle), targets: [] })
      },
      onEvent: settings.onEvent
    }
    await withBundleSite(site, async (place) => {
      // this comes first: cleaning up after a crash requires knowing which hooks made the bundle
      writeOrigin(place, hooks)
      const bundle = new HookedBundle(hooks, job, newContext(job, place.context), place)
      try {
        await act(bundle)
      } finally {
        bundle.close()
      }
    })
  }

  async changed(made: MadeBundle): Promise<ChangedPaths | undefined> {
    const { hooks } = this
    const { signal, onEvent } = made.settings
    try {
      const outcome = await hooks.call('delta-list', deltaContext(made), signal)
      return outcome.status === 'yes' ? outcome.answer.paths : undefined
    } catch (error) {
      if (hooks.deltaFallback === undefined || signal?.aborted === true) throw error
      onEvent({
        type: 'warning',
        message: 'The hook that lists changes failed, so the whole tree is compared.',
        facts: { hooks: hooks.name, reason: error instanceof Error ? error.message : String(error) }
      })
      return undefined
    }
  }

  async refresh(made: MadeBundle, before: ResolvedImage): Promise<void> {
    await this.hooks.call('refresh-bundle', refreshContext(made, before), made.settings.signal)
  }

  async mount({ fd, context }: BundleDirectory, signal?: AbortSignal): Promise<void> {
    await whileOwned(this.hooks.owner, fd, context.bundle, () =>
      mountAgain(this.hooks, context, signal)
    )
  }

  async umount({ fd, context }: BundleDirectory, signal?: AbortSignal): Promise<void> {
    await whileOwned(this.hooks.owner, fd, context.bundle, () =>
      unmount(this.hooks, context, signal)
    )
  }

  async whileSelecting<T>(
    directory: string,
    act: (tell: (selected: Selected) => Promise<void>) => Promise<T>,
    signal?: AbortSignal
  ): Promise<T> {
    const { hooks } = this
    const lock = await lockSelection(hooks, directory, signal)
    try {
      return await act(async (selected) => {
        await hooks.call('selected', selectedContext(selected), signal)
      })
    } finally {
      lock.release()
    }
  }

  async remove(
    { fd, context }: BundleDirectory,
    removeFiles: () => void,
    signal?: AbortSignal
  ): Promise<void> {
    const { hooks } = this
    await whileOwned(hooks.owner, fd, context.bundle, async () => {
      const outcome = await hooks.call('delete', context, signal)
      try {
        removeFiles()
      } catch (error) {
        throw withFacts(error, said(outcome))
      }
    })
  }

  async collect(
    liveKeys: () => Promise<readonly Digest[]>,
    signal?: AbortSignal
  ): Promise<Collected> {
    const { hooks } = this
    if (!hooks.points.has('gc')) throw nothingCollects(hooks.name)
    const lock = await lockStorage(hooks, 'exclusive', signal)
    try {
      const live = await liveKeys()
      const outcome = await hooks.call('gc', { liveKeys: live }, signal)
      pruneManifests(hooks.name, new Set<string>([...live, 'empty']))
      const removed = outcome.status === 'yes' ? outcome.answer : {}
      return { hooks: hooks.name, liveKeys: live, ...removed }
    } finally {
      lock.release()
    }
  }
}

/** Layers are found by chain ID, so what is stored for them must not depend on anything else. */
function assertFits({ settings }: Job, { extract, name, rootless }: HookSet): void {
  if (extract === 'rootfs') return
  const { keepDirlinks, policy } = settings
  if (isRootless(settings) && !rootless) throw notRootless(name)
  const isMapped = policy.uidMap.length > 0 || policy.gidMap.length > 0
  if (!keepDirlinks && (!isMapped || isRootless(settings))) return
  throw new OciUnpackError(
    'USAGE',
    'Hooks cannot keep the layers of an unpack with these options.',
    {
      facts: { hooks: name, found: keepDirlinks ? 'keepDirlinks' : 'uidMap or gidMap' },
      hint: 'Stored layers are shared between unpacks with any options. Use no hooks ({hooks: undefined}).'
    }
  )
}

function notRootless(hooks: string): OciUnpackError {
  return new OciUnpackError('USAGE', 'The hooks cannot keep the layers of a rootless unpack.', {
    facts: { hooks, found: 'rootless' },
    hint: 'The owners in such layers are others. Use hooks that keep them apart (rootless = true), no hooks ({hooks: undefined}), or a user namespace.'
  })
}

function nothingCollects(hooks: string): OciUnpackError {
  return new OciUnpackError('HOOKS_INVALID', 'The hook set has no hook that removes layers.', {
    facts: { hooks },
    hint: 'Add a [store.gc] section to its hooks.toml.'
  })
}
