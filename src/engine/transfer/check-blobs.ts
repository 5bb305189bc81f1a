/** Reads blobs to their end in threads, several at once; nothing is written. */
import type { DecompressorChoice } from '../../codec/choice.ts'
import { layerCompression } from '../../image/media-types.ts'
import type { ImageSource } from '../../store/image-source.ts'
import type { BlobOutcome, BlobToCheck, CheckedBlob } from '../../transports/transport.ts'
import type { CheckBlobTask } from '../../worker/check-blob.ts'
import { throwIfAborted } from '../operation/abort.ts'
import { withThreads } from '../operation/threads.ts'

export interface CheckSettings {
  jobs: number
  decompressor: DecompressorChoice
  signal: AbortSignal | undefined
}

/** The outcome for each blob, in order; a fault in one does not keep the others from being read. @throws ABORTED */
export async function checkBlobs(
  source: ImageSource,
  blobs: readonly BlobToCheck[],
  settings: CheckSettings
): Promise<BlobOutcome[]> {
  const { jobs, signal } = settings
  const layers = blobs.length
  return withThreads(jobs, { jobs, signal, layers }, async (pool, control) => {
    const check = async (blob: BlobToCheck, layer: number): Promise<CheckedBlob> => {
      throwIfAborted(signal)
      await pool.run(taskOf(source, blob, layer, settings), control)
      return { unpacked: control.layer(layer).unpacked }
    }
    const outcomes = await Promise.allSettled(blobs.map(check))
    throwIfAborted(signal)
    return outcomes
  })
}

function taskOf(
  source: ImageSource,
  { descriptor, diffId }: BlobToCheck,
  layer: number,
  { decompressor }: CheckSettings
): CheckBlobTask {
  return {
    type: 'check-blob',
    layer,
    source: source.blobSource(descriptor),
    content:
      diffId === undefined
        ? undefined
        : { compression: layerCompression(descriptor.mediaType), decompressor, diffId }
  }
}
