/** A layer from its blob to the bytes of its tar, verified to the last byte: blob → digest → decompress → diff ID. */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import { decompress } from '../codec/decompress.ts'
import type { Digest } from '../image/digest.ts'
import { openBlob, type VerifiedBlob } from '../store/blob.ts'
import type { BlobSource } from '../store/blob-source.ts'
import type { ByteStage } from './byte-stage.ts'
import type { Control } from './control.ts'
import { countedInput } from './counted-input.ts'
import { DiffIdCheck } from './diff-id.ts'
import type { TarSizeLimits } from './tar-limits.ts'

export interface VerifiedTarTask {
  /** Its index among the layers of the image. */
  layer: number
  source: BlobSource
  compression: Compression
  diffId: Digest
  decompressor: DecompressorChoice
  limits: TarSizeLimits
}

/**
 * @param consumer checks the limits, as `limited` does; must not trust anything before this returns: it is finished before the last checks
 * @throws BLOB_*, COMPRESSION_INVALID, DIFF_ID_MISMATCH, LIMIT_EXCEEDED, ABORTED
 */
export async function readVerifiedTar(
  task: VerifiedTarTask,
  control: Control,
  consumer: ByteStage
): Promise<void> {
  const blob = openBlob(task.source)
  try {
    await read(task, control, consumer, blob)
  } finally {
    blob.close()
  }
}

async function read(
  task: VerifiedTarTask,
  control: Control,
  consumer: ByteStage,
  blob: VerifiedBlob
): Promise<void> {
  const { layer, compression, decompressor, diffId } = task
  const check = isSameBytes(task) ? undefined : new DiffIdCheck(diffId)
  const input = countedInput(blob, control, layer)
  for await (const chunk of decompress(input, compression, decompressor, control)) {
    check?.push(chunk)
    consumer.push(chunk)
  }
  consumer.finish()
  blob.verify()
  check?.finish()
}

/** The blob of an uncompressed layer is its tar, so verifying one digest verifies the other. */
function isSameBytes({ compression, source, diffId }: VerifiedTarTask): boolean {
  return compression === 'none' && source.digest === diffId
}
