/** Makes an image from a changed bundle. This file tells the story; the steps are elsewhere. */
import type { BundleMetadata } from '../bundle/metadata.ts'
import { volumePaths } from '../bundle/volumes.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { descriptorPath } from '../image/choice.ts'
import type { Digest } from '../image/digest.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { Layout } from '../store/layout.ts'
import { assertLayers, readImage, type ResolvedImage } from '../store/resolve.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { mountsBelow } from '../sys/mounts.ts'
import { parseNewName } from '../transports/image-name.ts'
import type { ImageName } from '../transports/list.ts'
import { isInLayout } from '../transports/open-images.ts'
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
import { metadataAt, withBundle, type OpenBundle } from './bundle/open-bundle.ts'
import { historyEntry } from './edit/history.ts'
import type { WriteLayer } from './edit/layer-writer.ts'
import { packChanges } from './edit/pack-changes.ts'
import { choosePacking } from './edit/packing.ts'
import { withRefresh } from './edit/refresh-bundle.ts'
import { digestsIn } from './files/lazy-digests.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { contextAt } from './bundle/bundle-site.ts'
import { readOrigin } from './bundle/origin.ts'
import { rememberPacked, withPacked } from './bundle/packed-paths.ts'
import type { LayerStorage } from './storage/layer-storage.ts'
import { plainStorage } from './storage/plain-storage.ts'
import { makerOf, withStorage } from './storage/storages.ts'
import { basePlace, openBase } from './transfer/base-image.ts'
import { baseNotFound } from './transfer/base-not-found.ts'
import { bringBase } from './transfer/bring-base.ts'
import { whileChanging, type Changing } from './transfer/while-changing.ts'
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
  const reference = parseNewName(options.image, onWarning)
  const settings = normalizeChange(options, reference)
  return asked({ image: options.image }, () => {
    const { signal, onEvent } = settings
    const use = options.refreshBundle === true ? 'exclusive' : 'shared'
    let known: BundleMetadata | undefined
    const metadata = (): BundleMetadata => (known ??= metadataAt(options.bundle))
    const documents = (source: ImageSource): void => void readBase(source, metadata(), reference)
    const base = (): Digest => metadata().descriptorWalk[0]!.digest as Digest
    const elsewhere = (missing: OciUnpackError): Promise<ImageSource> =>
      openBase(metadata(), settings, missing)
    const changing = { ...settings, base, elsewhere, documents }
    return whileChanging(reference, changing, (images) => {
      const run = (storage: LayerStorage): Promise<ChangeResult> =>
        withBundle(options.bundle, { use, signal, onEvent }, (bundle) =>
          repackBundle({ ...images, tag: reference.tag }, bundle, storage, options, settings)
        )
      return withStorage(options, onEvent, run)
    })
  })
}

interface Destination extends Changing {
  tag: string
}

async function repackBundle(
  { layout, tag, publish }: Destination,
  bundle: OpenBundle,
  chosen: LayerStorage,
  options: RepackOptions,
  settings: ChangeSettings
): Promise<ChangeResult> {
  const { jobs, signal, onEvent } = settings
  if (isInLayout(settings.reference)) await bringBase(layout, bundle.metadata, settings)
  const base = readBase(layout, bundle.metadata, settings.reference)
  const packing = choosePacking(base, settings)
  const createdBy = `${options.program ?? 'oci-unpack'} repack`
  const history = historyEntry(settings, { author: base.config.author, createdBy })

  const scannedAt = currentTime()
  const root = withoutHandles(handlePath(bundle.rootfs))
  for (const point of mountsBelow(fromText(root))) onEvent(mounted(point))
  const storage = makerOf(readOrigin(contextAt(bundle.path)), chosen) ?? plainStorage
  const isRefreshed = options.refreshBundle === true
  const made = { bundle, image: base, layout: layout.path, settings, willRefresh: isRefreshed }
  const hashFiles = hasher(bundle.rootfs, { ...settings, ledger: bundle.ledger })
  onEvent({ type: 'phase', phase: 'compare' })
  const listed = await storage.changed(made)
  const changes = await bundleChanges(bundle, {
    listed: listed && withPacked(listed, bundle),
    masks: masksOf(options, volumePaths(Object.keys(base.config.config?.Volumes ?? {}))),
    hashFiles,
    imageDigests: digestsIn(layout, base, bundle.metadata, settings),
    verifyDelta: options.verifyDelta,
    jobs,
    signal
  })
  for (const path of changes.sockets) onEvent(socket(path))
  onEvent({ type: 'changes', count: changes.deltas.length })

  const write: WriteLayer = (writer) => packChanges(bundle, changes, writer, settings, isRefreshed)
  const layer = changes.deltas.length === 0 ? undefined : { packing, write }
  const add = async (beforeTag?: BeforeTag): Promise<ChangedImage> => {
    const added = await addToImage({
      layout,
      base,
      tag,
      layer,
      history,
      beforeTag,
      onEvent,
      signal
    })
    await publish(tag)
    return added
  }
  if (!isRefreshed) return (await add()).result
  return withRefresh(foundAt(settings.reference, layout, bundle), onEvent, async (refresh) => {
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

/** From now on, the bundle comes from where the new image is. */
function foundAt(reference: ImageName, layout: Layout, bundle: OpenBundle): OpenBundle {
  const { metadata } = bundle
  const { transport } = reference
  const source = { transport, path: isInLayout(reference) ? layout.path : reference.path }
  const lazy = metadata.lazy && { ...metadata.lazy, ...source }
  return { ...bundle, metadata: { ...metadata, source, lazy } }
}

function readBase(
  source: ImageSource,
  metadata: BundleMetadata,
  reference: ImageName
): ResolvedImage {
  try {
    const image = readImage(source, descriptorPath(metadata.descriptorWalk))
    assertLayers(image)
    return image
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'BLOB_NOT_FOUND') throw error
    throw baseNotFound({ metadata, reference, missing: error, place: basePlace(metadata) })
  }
}
