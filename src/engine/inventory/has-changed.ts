/** Whether a bundle has anything that an unpack of its image would not make again. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { CONFIG_FILE, METADATA_FILE } from '../../bundle/files.ts'
import { sourceRoot, type BundleMetadata } from '../../bundle/metadata.ts'
import { OciUnpackError } from '../../errors.ts'
import { descriptorPath } from '../../image/choice.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'
import { assertLayers, readImage } from '../../store/resolve.ts'
import { handlePath } from '../../sys/handle-path.ts'
import { formatImageName } from '../../transports/image-name.ts'
import { imageAt, transportOf, type ImageName } from '../../transports/list.ts'
import { contextAt } from '../bundle/bundle-site.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { readOrigin } from '../bundle/origin.ts'
import { withPacked } from '../bundle/packed-paths.ts'
import { isBundleChanged } from '../changes/bundle-changes.ts'
import { normalizeChange } from '../edit/change-options.ts'
import { digestsWhereUnpacked } from '../files/lazy-digests.ts'
import type { OnEvent } from '../operation/events.ts'
import type { ThreadOptions } from '../operation/threads.ts'
import type { LayerStorage, MadeBundle } from '../storage/layer-storage.ts'
import { plainStorage } from '../storage/plain-storage.ts'
import { makerOf } from '../storage/storages.ts'
import { withSource } from '../transfer/with-source.ts'
import { hasher } from '../tree/hash-files.ts'

export interface LookOptions extends ThreadOptions {
  onEvent: OnEvent
}

/**
 * Whether its root file system, volumes included, or its config.json was changed since it was unpacked or refreshed. Looks only at what the
 * hooks list, if they made the bundle and its image is at hand.
 */
export async function hasChanged(
  bundle: OpenBundle,
  chosen: LayerStorage,
  options: LookOptions
): Promise<boolean> {
  if (isConfigEdited(bundle)) return true
  const listed = await listedBy(bundle, chosen, options)
  return isBundleChanged(bundle, {
    ...options,
    listed: listed && withPacked(listed, bundle),
    hashFiles: hasher(bundle.rootfs, { ...options, ledger: bundle.ledger }),
    imageDigests: digestsWhereUnpacked(bundle.metadata, options)
  })
}

/** Whoever makes a bundle writes its metadata last. */
function isConfigEdited({ directory }: OpenBundle): boolean {
  const time = (name: string): bigint | undefined =>
    statSync(join(handlePath(directory), name), { bigint: true, throwIfNoEntry: false })?.mtimeNs
  const [config, metadata] = [time(CONFIG_FILE), time(METADATA_FILE)]
  return config !== undefined && metadata !== undefined && config > metadata
}

/** Undefined if only the whole tree can tell. */
async function listedBy(
  bundle: OpenBundle,
  chosen: LayerStorage,
  options: LookOptions
): Promise<ChangedPaths | undefined> {
  const storage = makerOf(readOrigin(contextAt(bundle.path)), chosen)
  if (storage === undefined || storage === plainStorage) return undefined
  const made = await madeBundle(bundle, options)
  return made && storage.changed(made)
}

/** Undefined if the image is gone, or far away. */
async function madeBundle(
  bundle: OpenBundle,
  options: LookOptions
): Promise<MadeBundle | undefined> {
  const name = nearPlace(bundle.metadata)
  if (name === undefined) return undefined
  try {
    return await withSource(name, { signal: options.signal }, (source) => {
      const image = readImage(source, descriptorPath(bundle.metadata.descriptorWalk))
      assertLayers(image)
      const settings = normalizeChange({ ...asked(options), image: formatImageName(name) }, name)
      return Promise.resolve({ bundle, image, layout: source.path, settings })
    })
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code === 'ABORTED') throw error
    return undefined
  }
}

function asked({ jobs, signal, onEvent }: LookOptions): {
  jobs: number
  signal?: AbortSignal
  onEvent: OnEvent
} {
  return { jobs, onEvent, ...(signal === undefined ? {} : { signal }) }
}

function nearPlace(metadata: BundleMetadata): ImageName | undefined {
  const { source } = metadata
  const name = source && imageAt(source, sourceRoot(metadata).digest)
  return name === undefined || transportOf(name).holder === 'registry' ? undefined : name
}
