/** Makes an image from a changed bundle. This file tells the story; the steps are elsewhere. */
import { sourceManifest } from '../bundle/metadata.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { descriptorPath } from '../image/choice.ts'
import { whileInUse } from '../store/blobs-lock.ts'
import { openLayout, type Layout } from '../store/layout.ts'
import { readImage, type ResolvedImage } from '../store/resolve.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { mountsBelow } from '../sys/mounts.ts'
import { pause } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { addToImage, assertPackable, type ImageChange } from './edit/add-to-image.ts'
import type { MaskOptions } from './changes/bundle-changes.ts'
import { hasher } from './tree/hash-files.ts'
import {
  normalizeChange,
  type ChangeOptions,
  type ChangeResult,
  type ChangeSettings
} from './edit/change-options.ts'
import { mounted, socket } from './operation/warnings.ts'
import { currentTime } from './bundle/tree-manifest-file.ts'
import { withBundle, type OpenBundle } from './bundle/open-bundle.ts'
import { packChanges } from './edit/pack-changes.ts'
import { withRefresh } from './edit/refresh-bundle.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { contextAt } from './bundle/bundle-site.ts'
import { readOrigin } from './bundle/origin.ts'
import type { LayerStorage } from './storage/layer-storage.ts'
import { madeChanges } from './storage/made-changes.ts'
import { plainStorage } from './storage/plain-storage.ts'
import { makerOf, withStorage } from './storage/storages.ts'
import { requireOptions } from './operation/required-options.ts'

export interface RepackOptions extends ChangeOptions, MaskOptions {
  /** Directory that `unpack` (or umoci) made. */
  bundle: string
  /** Make the bundle one of the new image, so that the next repack adds only what changes from now on. */
  refreshBundle?: boolean
  /** The hooks that made the bundle. They may know what changed without looking at every file. */
  hooks?: HooksOption
  /** Look at every file even so, and fail if the hooks left something out. */
  verifyDelta?: boolean
  /** `created_by` of the history entry, unless `history` says otherwise. */
  program?: string
}

/**
 * Adds what changed in a bundle to its image, as one layer under the tag of `image`. If nothing changed, only a history
 * entry is added. The base is the image that the bundle was unpacked from, even if tags have moved since. On failure
 * the layout's tags and the bundle are as they were.
 *
 * Follows image-spec layer.md (Representing Changes) and config.md (history).
 * @throws OciUnpackError with a stable `code`
 */
export async function repack(options: RepackOptions): Promise<ChangeResult> {
  requireOptions(options, { image: 'text', bundle: 'text' })
  const settings = normalizeChange(options)
  return asked({ image: options.image }, () => {
    const layout = openLayout(settings.reference.path)
    const { signal, onEvent } = settings
    const use = {
      use: options.refreshBundle === true ? 'exclusive' : 'shared',
      signal,
      onEvent
    } as const
    const run = (storage: LayerStorage): Promise<ChangeResult> =>
      withBundle(options.bundle, use, (bundle) =>
        repackBundle(layout, bundle, storage, options, settings)
      )
    return whileInUse(
      layout.path,
      () => pause(settings.signal),
      () => withStorage(options, settings.onEvent, run)
    )
  })
}

async function repackBundle(
  layout: Layout,
  bundle: OpenBundle,
  chosen: LayerStorage,
  options: RepackOptions,
  settings: ChangeSettings
): Promise<ChangeResult> {
  const { tag } = settings.reference
  const base = readBase(layout, bundle)
  assertPackable(base, settings)
  const scannedAt = currentTime()
  const root = withoutHandles(handlePath(bundle.rootfs))
  for (const point of mountsBelow(fromText(root))) settings.onEvent(mounted(point))
  const storage = makerOf(readOrigin(contextAt(bundle.path)), chosen) ?? plainStorage
  const made = { bundle, image: base, layout: layout.path, settings }
  settings.onEvent({ type: 'phase', phase: 'compare' })
  const changes = await madeChanges(made, storage, options)
  for (const path of changes.sockets) settings.onEvent(socket(path))
  settings.onEvent({ type: 'changes', count: changes.deltas.length })
  const isRefreshed = options.refreshBundle === true
  const add = (beforeTag?: ImageChange['beforeTag']): ReturnType<typeof addToImage> =>
    addToImage(
      {
        layout,
        base,
        tag,
        createdBy: `${options.program ?? 'oci-unpack'} repack`,
        inheritAuthor: true,
        beforeTag,
        settings
      },
      changes.deltas.length === 0
        ? undefined
        : (writer) => packChanges(bundle, changes, writer, settings, isRefreshed)
    )
  if (!isRefreshed) return resultOf(await add())
  return withRefresh(bundle, settings.onEvent, async (refresh) => {
    const threads = settings
    const hashFiles = hasher(bundle.rootfs, threads)
    const result = await add((image) =>
      refresh.prepare(image, changes, { scannedAt, hashFiles, threads })
    )
    refresh.commit()
    await storage.refresh({ ...made, image: readImage(layout, result.image) }, base)
    return resultOf(result)
  })
}

function resultOf({ manifestDigest, layer }: ChangeResult): ChangeResult {
  return { manifestDigest, layer }
}

function readBase(layout: Layout, { metadata }: OpenBundle): ResolvedImage {
  try {
    return readImage(layout, descriptorPath(metadata.descriptorWalk))
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'BLOB_NOT_FOUND') throw error
    throw new OciUnpackError(
      'BLOB_NOT_FOUND',
      'The layout does not contain the image that the bundle came from.',
      {
        facts: { ...error.facts, expected: sourceManifest(metadata).digest },
        hint: 'Give the layout that the bundle was unpacked from; if a garbage collection removed the image, copy it there again.',
        cause: error
      }
    )
  }
}
