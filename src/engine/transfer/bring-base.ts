/** A bundle can be repacked into another layout than its image is in. That layout gets what it lacks of the base. */
import { sourceRoot, type BundleMetadata } from '../../bundle/metadata.ts'
import type { Descriptor } from '../../image/types.ts'
import { blobNotFound } from '../../store/blob-errors.ts'
import type { Layout } from '../../store/layout.ts'
import { openWorkspace } from '../../store/layout-workspace.ts'
import { reachableBlobs } from '../../store/reachable.ts'
import { blobsToCopy } from '../../transports/blobs-to-copy.ts'
import { copyBlobs } from '../../transports/write-layout.ts'
import { basePlace, openBase, type BaseOptions } from './base-image.ts'
import { transferHelp } from './transfer-help.ts'

/** Does nothing if the bundle does not say where it came from. @throws BLOB_*, REGISTRY_*, ABORTED */
export async function bringBase(
  layout: Layout,
  metadata: BundleMetadata,
  options: BaseOptions
): Promise<void> {
  const place = basePlace(metadata)
  if (place === undefined || place.path === layout.path) return
  const missing = firstMissing(layout, sourceRoot(metadata) as unknown as Descriptor)
  if (missing === undefined) return
  const source = await openBase(metadata, options, blobNotFound(layout.blobSource(missing)))
  try {
    const help = transferHelp(options)
    const tag = `@${sourceRoot(metadata).digest}`
    const { blobs } = await blobsToCopy({ source, tag, platform: undefined }, help)
    const workspace = await openWorkspace(layout.path, help.wait)
    try {
      await copyBlobs(workspace, blobs, source, help)
    } finally {
      workspace.close()
    }
  } finally {
    source.close()
  }
}

/** Other platforms of an index may be missing. */
function firstMissing(layout: Layout, root: Descriptor): Descriptor | undefined {
  return reachableBlobs(layout, [root]).find(
    ({ descriptor, optional }) => !optional && !layout.hasBlob(descriptor.digest)
  )?.descriptor
}
