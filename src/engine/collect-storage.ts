/** Layers that no image needs any more leave the store of hooks. */
import { OciUnpackError, withFacts } from '../errors.ts'
import type { HookSet } from '../hooks/calls.ts'
import { chainIds, type Digest } from '../image/digest.ts'
import { parseConfig } from '../image/documents.ts'
import { parseImageName } from '../image/reference.ts'
import { documentSource } from '../store/offered-manifests.ts'
import { reachableBlobs } from '../store/reachable.ts'
import type { OnEvent } from './operation/events.ts'
import { openSource } from './transfer/open-source.ts'
import { lockStore } from './storage/key-lock.ts'
import { pruneManifests } from './storage/manifest-cache.ts'
import { withHooks, type HooksOption } from './operation/open-hooks.ts'
import { requireOptions } from './operation/required-options.ts'

export interface CollectStoreOptions {
  /** `[TRANSPORT:]PATH` of every layout and archive whose images are to stay; at least one. */
  layouts: readonly string[]
  hooks: HooksOption
  signal?: AbortSignal
  onEvent?: OnEvent
}

export interface CollectStoreResult {
  /** Name of the hook set. */
  hooks: string
  /** Chain IDs of all layers of all images there. */
  liveKeys: readonly string[]
}

/**
 * Tells the hooks which layers are still needed, so that they can remove all others. Waits for unpacks that use the
 * same hooks, and lets none begin meanwhile. Nothing is removed unless all images could be read.
 * @throws USAGE, HOOKS_INVALID where there is no hook for it; what reading the images throws; HOOK_FAILED, HOOK_TIMEOUT
 */
export async function collectStore(options: CollectStoreOptions): Promise<CollectStoreResult> {
  requireOptions(options, { layouts: 'list', hooks: 'object' })
  const { layouts, hooks, signal, onEvent = () => undefined } = options
  if (layouts.length === 0) throw noLayouts()
  return withHooks(hooks, onEvent, async (set) => {
    assertCollects(set)
    const lock = await lockStore(set, 'exclusive', signal)
    try {
      const liveKeys = await allLiveKeys(layouts)
      await set.call('gc', { liveKeys }, signal)
      pruneManifests(set.name, new Set([...liveKeys, 'empty']))
      return { hooks: set.name, liveKeys }
    } finally {
      lock.release()
    }
  })
}

async function allLiveKeys(layouts: readonly string[]): Promise<Digest[]> {
  const live = new Set<Digest>()
  for (const layout of layouts) for (const key of await liveKeysOf(layout)) live.add(key)
  return [...live]
}

/** Images of other platforms that an index names and nobody has copied have no layers here. */
async function liveKeysOf(layout: string): Promise<Digest[]> {
  const name = parseImageName(layout)
  try {
    if (name.tag !== undefined) throw tagged()
    const source = await openSource(name)
    return reachableBlobs(source, source.readIndex().manifests).flatMap(
      ({ role, document, fault, optional, descriptor }) => {
        if (fault !== undefined && !(optional && fault.code === 'BLOB_NOT_FOUND')) throw fault
        if (role !== 'config' || document === undefined) return []
        return chainIds(parseConfig(document, documentSource(descriptor)).rootfs.diff_ids)
      }
    )
  } catch (error) {
    throw withFacts(error, { image: layout })
  }
}

function assertCollects(hooks: HookSet | undefined): asserts hooks is HookSet {
  if (hooks?.points.has('gc') === true) return
  throw new OciUnpackError('HOOKS_INVALID', 'There is no hook that removes layers.', {
    facts: hooks === undefined ? {} : { hooks: hooks.name },
    hint: hooks === undefined ? 'Name a hooks.toml with {hooks}.' : 'Add [store.gc] to the set.'
  })
}

function noLayouts(): OciUnpackError {
  return new OciUnpackError('USAGE', 'No layout is named, so every layer would be removed.', {
    hint: 'Use {layouts} to name every layout whose images must stay.'
  })
}

function tagged(): OciUnpackError {
  return new OciUnpackError('USAGE', 'A layout must be named without a tag.', {
    hint: 'All images of a named layout stay.'
  })
}
