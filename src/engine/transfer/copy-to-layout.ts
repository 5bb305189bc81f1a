/** Copying an image to a layout. */
import { withTag } from '../../image/tags.ts'
import type { Descriptor } from '../../image/types.ts'
import { copyBlob } from '../../store/copy-blob.ts'
import type { ImageSource } from '../../store/image-source.ts'
import { updateIndex } from '../../store/index-update.ts'
import { openOrCreateLayout } from '../../store/new-layout.ts'
import type { ReachableBlob } from '../../store/reachable.ts'
import { heedSignals, pause } from '../operation/abort.ts'
import type { CopySettings } from './copy-settings.ts'
import { leftoverTo } from '../operation/leftover.ts'

/** Blobs first, parts before the whole, and the tag last: in one atomic step. */
export async function copyToLayout(
  to: { path: string; tag: string },
  root: Descriptor,
  source: ImageSource,
  blobs: readonly ReachableBlob[],
  { onEvent, signal }: CopySettings
): Promise<void> {
  const waitABit = (): Promise<void> => pause(signal)
  const layout = await openOrCreateLayout(to.path, waitABit, leftoverTo(onEvent))
  try {
    for (const { descriptor } of blobs) {
      const outcome = await copyBlob(layout.workspace, source.blobSource(descriptor), () =>
        heedSignals(signal)
      )
      onEvent({ type: 'blob', digest: descriptor.digest, size: descriptor.size, outcome })
    }
    await updateIndex(layout.workspace, (index) => withTag(index, to.tag, root), waitABit)
    layout.publish()
  } finally {
    layout.discard()
  }
}
