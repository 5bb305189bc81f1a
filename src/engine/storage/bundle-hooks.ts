/** The hooks of a bundle that is there, at a repack: what changed, and what becomes of it afterwards. */
import { display } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { HookSet } from '../../hooks/calls.ts'
import type { ImageContext } from '../../hooks/contexts.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { ChangeSettings } from '../edit/change-options.ts'
import type { Changes } from '../changes/find-changes.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { contextAt } from '../bundle/bundle-site.ts'
import { imageContext, topChainId } from './hook-contexts.ts'
import { readOrigin } from '../bundle/origin.ts'

export interface BundleHooks {
  /** What a hook says has changed; undefined: look at everything. */
  list(): Promise<ChangedPaths | undefined>
  /** Tells that the bundle is one of `image` now. */
  refreshed(image: ResolvedImage): Promise<void>
}

export interface BundleHooksOptions {
  bundle: OpenBundle
  /** Absolute path of the layout. */
  layout: string
  base: ResolvedImage
  settings: ChangeSettings
}

/** Hooks have a say only in bundles that they made. */
export function bundleHooks(hooks: HookSet | undefined, options: BundleHooksOptions): BundleHooks {
  const origin = readOrigin(contextAt(options.bundle.path))
  return hooks === undefined || origin?.hooks !== hooks.name ? NONE : asking(hooks, options)
}

const NONE: BundleHooks = {
  list: () => Promise.resolve(undefined),
  refreshed: () => Promise.resolve()
}

function asking(hooks: HookSet, options: BundleHooksOptions): BundleHooks {
  const { base, settings } = options
  const { signal } = settings
  return {
    list: () => listChanged(hooks, options),
    async refreshed(image) {
      const chainId = topChainId(image)
      const before = topChainId(base)
      const context = {
        ...describe(options, image),
        ...(chainId === undefined ? {} : { chainId }),
        ...(before === undefined || before === chainId ? {} : { parentChainId: before })
      }
      await hooks.call('refresh-bundle', context, signal)
    }
  }
}

async function listChanged(
  hooks: HookSet,
  options: BundleHooksOptions
): Promise<ChangedPaths | undefined> {
  const { base, settings } = options
  const chainId = topChainId(base)
  const context = { ...describe(options, base), ...(chainId === undefined ? {} : { chainId }) }
  try {
    const outcome = await hooks.call('delta-list', context, settings.signal)
    return outcome.status === 'yes' ? outcome.answer.paths : undefined
  } catch (error) {
    if (hooks.deltaFallback === undefined || settings.signal?.aborted === true) throw error
    settings.onEvent({
      type: 'warning',
      message: 'The list of changes failed; the whole tree is compared.',
      facts: { hooks: hooks.name, reason: error instanceof Error ? error.message : String(error) }
    })
    return undefined
  }
}

function describe(
  { bundle, layout, settings }: BundleHooksOptions,
  image: ResolvedImage
): ImageContext {
  const { uidMaps, gidMaps } = bundle.metadata
  return imageContext(contextAt(bundle.path), {
    image,
    layout,
    reference: settings.reference.tag,
    uidMap: uidMaps,
    gidMap: gidMaps
  })
}

/** @param all what a look at the whole tree found @throws HOOK_ANSWER_INVALID where `listed` leaves something out */
export function assertComplete(listed: Changes, all: Changes): void {
  const known = new Set(listed.deltas.map(({ path }) => path))
  const left = all.deltas.filter(({ path }) => !known.has(path))
  if (left.length === 0) return
  throw new OciUnpackError('HOOK_ANSWER_INVALID', 'The list of changes leaves something out.', {
    facts: {
      hook: 'repack.ociv1.layer.delta-list',
      found: left
        .slice(0, 10)
        .map(({ path }) => display(path))
        .join(', '),
      reason: `${left.length} changed paths are not in it`
    },
    hint: 'The hook must name everything that changed; more than that does no harm.'
  })
}
