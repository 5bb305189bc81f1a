/** Removes layers that no image needs any more from the storage of hooks. */
import { OciUnpackError, withFacts } from '../errors.ts'
import { chainIds, type Digest } from '../image/digest.ts'
import { parseConfig } from '../image/documents.ts'
import { isRootFilesystem } from '../image/image-kind.ts'
import { documentSource } from '../store/manifests-in-index.ts'
import { hiddenReferences } from '../store/hidden-references.ts'
import { reachableBlobs } from '../store/reachable.ts'
import { parseImageName } from '../transports/image-name.ts'
import { withImages } from '../transports/open-images.ts'
import type { OnEvent } from './operation/events.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import type { Collected } from './storage/layer-storage.ts'
import { withStorage } from './storage/storages.ts'
import { requireOptions } from './operation/required-options.ts'

export interface CollectStoreOptions {
  /** `[TRANSPORT:]PATH` of every layout and archive whose images must stay; at least one. */
  layouts: readonly string[]
  hooks: HooksOption
  signal?: AbortSignal
  onEvent?: OnEvent
}

export type CollectStoreResult = Collected

/**
 * Tells the hooks which layers are still needed, so that they can remove all others. Waits for unpacks that use the
 * same hooks, and blocks new ones meanwhile. Nothing is removed unless all images could be read.
 * @throws USAGE, HOOKS_INVALID if there is no hook for it; what reading the images throws; HOOK_FAILED, HOOK_TIMEOUT
 */
export async function collectStore(options: CollectStoreOptions): Promise<CollectStoreResult> {
  requireOptions(options, { layouts: 'list', hooks: 'object' })
  const { layouts, hooks, signal, onEvent = () => undefined } = options
  if (layouts.length === 0) throw noLayouts()
  return withStorage({ hooks }, onEvent, (storage) =>
    storage.collect(() => allLiveKeys(layouts), signal)
  )
}

async function allLiveKeys(layouts: readonly string[]): Promise<Digest[]> {
  const live = new Set<Digest>()
  for (const layout of layouts) for (const key of await liveKeysOf(layout)) live.add(key)
  return [...live]
}

/** Images of other platforms that an index names but that were not copied have no layers here. */
async function liveKeysOf(layout: string): Promise<Digest[]> {
  const name = parseImageName(layout)
  try {
    if (name.tag !== undefined) throw tagged()
    return await withImages(name, {}, (source) => {
      const index = source.readIndex()
      const roots = [...index.manifests, ...hiddenReferences(source, index)]
      return reachableBlobs(source, roots).flatMap(({ fault, optional, isFollowed, content }) => {
        const isAbsent = optional && fault?.code === 'BLOB_NOT_FOUND'
        if (fault !== undefined && !isFollowed && !isAbsent) throw fault
        if (content === undefined || !isRootFilesystem(content.manifest)) return []
        const { config } = content.manifest
        const document = source.readDocument(config)
        return chainIds(parseConfig(document, documentSource(config)).rootfs.diff_ids)
      })
    })
  } catch (error) {
    throw withFacts(error, { image: layout })
  }
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
