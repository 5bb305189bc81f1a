/** Writes an image into a layout directory, which is created if it does not exist. */
import { OciUnpackError } from '../errors.ts'
import { withReferrers, withTag } from '../image/tags.ts'
import type { Digest } from '../image/digest.ts'
import { copyBlob } from '../store/copy-blob.ts'
import { updateIndex } from '../store/index-update.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { Workspace } from '../store/layout-workspace.ts'
import { openLayout } from '../store/layout.ts'
import { openOrCreateLayout, type WritableLayout } from '../store/new-layout.ts'
import type { ReachableBlob } from '../store/reachable.ts'
import { forSeveral } from '../store/several.ts'
import { blobsToCopy, type BlobsToCopy } from './blobs-to-copy.ts'
import { sizeOf, TransferMeter } from './transfer-meter.ts'
import type { ImageToWrite, TagInLayout, TransferHelp, WriterHelp } from './transport.ts'

/** Writes blobs first, parts before the whole, and the tag last, in one atomic step. */
export async function writeLayout(
  to: TagInLayout,
  image: ImageToWrite,
  help: LayoutHelp
): Promise<Digest> {
  const parts = await blobsToCopy(image, help)
  await writeParts(to, parts, image.source, help)
  return parts.root.digest
}

type LayoutHelp = TransferHelp & Pick<WriterHelp, 'onLeftover'>

/** If another process makes the new layout in the meantime, what was copied goes there. */
async function writeParts(
  to: TagInLayout,
  parts: BlobsToCopy,
  source: ImageSource,
  help: LayoutHelp
): Promise<void> {
  const layout = await openOrCreateLayout(to.path, help.wait, help.onLeftover)
  try {
    await copyBlobs(layout.workspace, parts.blobs, source, help)
    await updateIndex(
      layout.workspace,
      (index) => withReferrers(withTag(index, to.tag, parts.root), parts.referrers),
      help.wait
    )
    if (!isPublished(layout)) await writeParts(to, parts, openLayout(layout.path), help)
  } finally {
    layout.discard()
  }
}

function isPublished(layout: WritableLayout): boolean {
  try {
    layout.publish()
    return true
  } catch (error) {
    if (error instanceof OciUnpackError && error.code === 'LAYOUT_EXISTS') return false
    throw error
  }
}

/** So many blobs that arrive from far away are fetched at once. */
const AT_ONCE = 3

/** Where they are at hand, one after the other is as fast. */
export async function copyBlobs(
  workspace: Workspace,
  blobs: readonly Pick<ReachableBlob, 'descriptor'>[],
  source: ImageSource,
  help: Pick<TransferHelp, 'breathe' | 'onEvent'>
): Promise<void> {
  const isFar = source.repository !== undefined
  const meter = new TransferMeter(sizeOf(blobs), help.onEvent)
  const count = isFar ? (bytes: number) => meter.add(bytes) : undefined
  await forSeveral(blobs, isFar ? AT_ONCE : 1, help.breathe, async ({ descriptor }, breathe) => {
    const { digest, size } = descriptor
    const outcome = await copyBlob(workspace, source.blobSource(descriptor), breathe, count)
    if (outcome === 'present') meter.skip(size)
    help.onEvent({ type: 'blob', digest, size, outcome })
  })
}
