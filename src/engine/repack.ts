/** A changed bundle becomes an image. The story; each step is told elsewhere. */
import { sourceManifest } from '../bundle/metadata.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { HookSet } from '../hooks/calls.ts'
import type { DescriptorPath } from '../image/choice.ts'
import { whileInUse } from '../store/blobs-lock.ts'
import { openLayout, type Layout } from '../store/layout.ts'
import { readImage, type ResolvedImage } from '../store/resolve.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { mountsBelow } from '../sys/mounts.ts'
import { pause } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { addToImage, assertPackable, type ImageChange } from './edit/add-to-image.ts'
import { allChanges, bundleChanges, type MaskOptions } from './changes/bundle-changes.ts'
import { hasher } from './tree/hash-files.ts'
import {
  normalizeChange,
  type ChangeOptions,
  type ChangeResult,
  type ChangeSettings
} from './edit/change-options.ts'
import type { Changes } from './changes/find-changes.ts'
import { mounted, socket } from './operation/warnings.ts'
import { currentTime } from './bundle/tree-manifest-file.ts'
import { withBundle, type OpenBundle } from './bundle/open-bundle.ts'
import { packChanges } from './edit/pack-changes.ts'
import { withRefresh } from './edit/refresh-bundle.ts'
import { assertComplete, bundleHooks, type BundleHooks } from './storage/bundle-hooks.ts'
import { withHooks, type HooksOption } from './operation/open-hooks.ts'
import { requireOptions } from './operation/required-options.ts'

export interface RepackOptions extends ChangeOptions, MaskOptions {
  /** Directory that `unpack` (or umoci) made. */
  bundle: string
  /** Make the bundle one of the new image, so that a further repack adds only what changes from now on. */
  refreshBundle?: boolean
  /** Those that made the bundle; they may know what changed without a look at every file. */
  hooks?: HooksOption
  /** Look at every file all the same, and fail where the hooks left something out. */
  verifyDelta?: boolean
  /** `created_by` of the history entry, unless `history` says otherwise. */
  program?: string
}

/**
 * Adds what changed in a bundle to its image, as one layer under the tag of `image`. Where nothing changed there is
 * no layer, only a history entry. The base is the image that the bundle was unpacked from, whatever its tags say now.
 * On failure the layout's tags and the bundle are as they were.
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
    const run = (hooks: HookSet | undefined): Promise<ChangeResult> =>
      withBundle(options.bundle, use, (bundle) =>
        repackBundle(layout, bundle, hooks, options, settings)
      )
    return whileInUse(
      layout.path,
      () => pause(settings.signal),
      () => withHooks(options.hooks, settings.onEvent, run)
    )
  })
}

async function repackBundle(
  layout: Layout,
  bundle: OpenBundle,
  hookSet: HookSet | undefined,
  options: RepackOptions,
  settings: ChangeSettings
): Promise<ChangeResult> {
  const { tag } = settings.reference
  const base = readBase(layout, bundle)
  assertPackable(base, settings)
  const scannedAt = currentTime()
  const root = withoutHandles(handlePath(bundle.rootfs))
  for (const point of mountsBelow(fromText(root))) settings.onEvent(mounted(point))
  const hooks = bundleHooks(hookSet, { bundle, layout: layout.path, base, settings })
  const changes = await search(bundle, base, hooks, options, settings)
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
    const made = await add((image) =>
      refresh.prepare(image, changes, { scannedAt, hashFiles, threads })
    )
    refresh.commit()
    await hooks.refreshed(readImage(layout, made.image))
    return resultOf(made)
  })
}

function resultOf({ manifestDigest, layer }: ChangeResult): ChangeResult {
  return { manifestDigest, layer }
}

async function search(
  bundle: OpenBundle,
  base: ResolvedImage,
  hooks: BundleHooks,
  { maskPaths = [], maskVolumes = true, verifyDelta = false }: RepackOptions,
  { jobs, signal, onEvent }: ChangeSettings
): Promise<Changes> {
  onEvent({ type: 'phase', phase: 'compare' })
  const volumes = Object.keys(base.config.config?.Volumes ?? {})
  const options = { maskPaths, maskVolumes, volumes, jobs, signal }
  const changes = await bundleChanges(bundle, options, () => hooks.list())
  if (!verifyDelta || changes.isWhole) return changes
  assertComplete(changes, await allChanges(bundle, options))
  return changes
}

function readBase(layout: Layout, { metadata }: OpenBundle): ResolvedImage {
  try {
    return readImage(layout, metadata.descriptorWalk as unknown as DescriptorPath)
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code !== 'BLOB_NOT_FOUND') throw error
    throw new OciUnpackError(
      'BLOB_NOT_FOUND',
      'The layout has not the image that the bundle came from.',
      {
        facts: { ...error.facts, expected: sourceManifest(metadata).digest },
        hint: 'Give the layout that the bundle was unpacked from; if a garbage collection removed the image, copy it there again.',
        cause: error
      }
    )
  }
}
