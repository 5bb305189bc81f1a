/** Makes an image from a changed bundle. This file tells the story; the steps are elsewhere. */
import { sourceManifest } from '../bundle/metadata.ts'
import { volumePaths } from '../bundle/volumes.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { descriptorPath } from '../image/choice.ts'
import { whileInUse } from '../store/blobs-lock.ts'
import type { Layout } from '../store/layout.ts'
import { assertLayers, readImage, type ResolvedImage } from '../store/resolve.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { mountsBelow } from '../sys/mounts.ts'
import { parseTagInLayout } from '../transports/image-name.ts'
import { openLayoutAt } from '../transports/open-layout.ts'
import { pause } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { bundleChanges } from './changes/bundle-changes.ts'
import { masksOf, type MaskOptions } from './changes/masks.ts'
import { addToImage, type BeforeTag, type ChangedImage } from './edit/add-to-image.ts'
import { hasher } from './tree/hash-files.ts'
import {
  normalizeChange,
  type ChangeOptions,
  type ChangeResult,
  type ChangeSettings
} from './edit/change-options.ts'
import { mounted, socket, warningTo } from './operation/warnings.ts'
import { currentTime } from './bundle/tree-manifest-file.ts'
import { withBundle, type OpenBundle } from './bundle/open-bundle.ts'
import { historyEntry } from './edit/history.ts'
import type { WriteLayer } from './edit/layer-writer.ts'
import { packChanges } from './edit/pack-changes.ts'
import { choosePacking } from './edit/packing.ts'
import { withRefresh } from './edit/refresh-bundle.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { contextAt } from './bundle/bundle-site.ts'
import { readOrigin } from './bundle/origin.ts'
import { rememberPacked, withPacked } from './bundle/packed-paths.ts'
import type { LayerStorage } from './storage/layer-storage.ts'
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
  const onWarning = warningTo(options.onEvent)
  const reference = parseTagInLayout(options.image, onWarning)
  const settings = normalizeChange(options, reference)
  return asked({ image: options.image }, async () => {
    const { signal, onEvent } = settings
    const layout = await openLayoutAt(reference.path, { onWarning })
    const use = options.refreshBundle === true ? 'exclusive' : 'shared'
    const run = (storage: LayerStorage): Promise<ChangeResult> =>
      withBundle(options.bundle, { use, signal, onEvent }, (bundle) =>
        repackBundle(layout, reference.tag, bundle, storage, options, settings)
      )
    return whileInUse(
      layout.path,
      () => pause(signal),
      () => withStorage(options, onEvent, run)
    )
  })
}

async function repackBundle(
  layout: Layout,
  tag: string,
  bundle: OpenBundle,
  chosen: LayerStorage,
  options: RepackOptions,
  settings: ChangeSettings
): Promise<ChangeResult> {
  const { jobs, signal, onEvent } = settings
  const base = readBase(layout, bundle)
  const packing = choosePacking(base, settings)
  const createdBy = `${options.program ?? 'oci-unpack'} repack`
  const history = historyEntry(settings, { author: base.config.author, createdBy })

  const scannedAt = currentTime()
  const root = withoutHandles(handlePath(bundle.rootfs))
  for (const point of mountsBelow(fromText(root))) onEvent(mounted(point))
  const storage = makerOf(readOrigin(contextAt(bundle.path)), chosen) ?? plainStorage
  const made = { bundle, image: base, layout: layout.path, settings }
  const hashFiles = hasher(bundle.rootfs, { ...settings, ledger: bundle.ledger })
  onEvent({ type: 'phase', phase: 'compare' })
  const listed = await storage.changed(made)
  const changes = await bundleChanges(bundle, {
    listed: listed && withPacked(listed, bundle),
    masks: masksOf(options, volumePaths(Object.keys(base.config.config?.Volumes ?? {}))),
    hashFiles,
    verifyDelta: options.verifyDelta,
    jobs,
    signal
  })
  for (const path of changes.sockets) onEvent(socket(path))
  onEvent({ type: 'changes', count: changes.deltas.length })

  const isRefreshed = options.refreshBundle === true
  const write: WriteLayer = (writer) => packChanges(bundle, changes, writer, settings, isRefreshed)
  const layer = changes.deltas.length === 0 ? undefined : { packing, write }
  const add = (beforeTag?: BeforeTag): Promise<ChangedImage> =>
    addToImage({ layout, base, tag, layer, history, beforeTag, onEvent, signal })
  if (!isRefreshed) return (await add()).result
  return withRefresh(bundle, onEvent, async (refresh) => {
    const known = { changes, scannedAt, hashFiles, threads: settings }
    rememberPacked(
      bundle,
      listed,
      changes.deltas.map(({ path }) => path)
    )
    const { result, image } = await add((image) => refresh.prepare(image, known))
    refresh.commit()
    await storage.refresh({ ...made, image: readImage(layout, image) }, base)
    return result
  })
}

function readBase(layout: Layout, { metadata }: OpenBundle): ResolvedImage {
  try {
    const image = readImage(layout, descriptorPath(metadata.descriptorWalk))
    assertLayers(image)
    return image
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
