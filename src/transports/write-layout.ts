/** Writes an image into a layout directory, which is created if it does not exist. */
import { withTag } from '../image/tags.ts'
import type { Digest } from '../image/digest.ts'
import { copyBlob } from '../store/copy-blob.ts'
import { updateIndex } from '../store/index-update.ts'
import { openOrCreateLayout } from '../store/new-layout.ts'
import { blobsToCopy } from './blobs-to-copy.ts'
import type { ImageToWrite, TagInLayout, WriterHelp } from './transport.ts'

/** Writes blobs first, parts before the whole, and the tag last, in one atomic step. */
export async function writeLayout(
  to: TagInLayout,
  image: ImageToWrite,
  help: WriterHelp
): Promise<Digest> {
  const { root, blobs } = blobsToCopy(image, help)
  const layout = await openOrCreateLayout(to.path, help.wait, help.onLeftover)
  try {
    for (const { descriptor } of blobs) {
      const { digest, size } = descriptor
      const blob = image.source.blobSource(descriptor)
      const outcome = await copyBlob(layout.workspace, blob, help.breathe)
      help.onEvent({ type: 'blob', digest, size, outcome })
    }
    await updateIndex(layout.workspace, (index) => withTag(index, to.tag, root), help.wait)
    layout.publish()
  } finally {
    layout.discard()
  }
  return root.digest
}
