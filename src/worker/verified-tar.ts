/** A layer from its blob to the bytes of its tar, verified to the last byte: blob → digest → decompress → diff ID. */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import { actualContent } from '../codec/actual-compression.ts'
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
  /** According to the media type. */
  compression: Compression
  diffId: Digest
  decompressor: DecompressorChoice
  limits: TarSizeLimits
}

export interface VerifiedTarReport {
  /** The media type of the layer is wrong, and it is read as what it is. */
  otherCompression: (found: Compression) => void
}

/**
 * @param consumer checks the limits, as `limited` does; must not trust anything before this returns: it is finished before the last checks
 * @throws BLOB_*, COMPRESSION_INVALID, DIFF_ID_MISMATCH, LIMIT_EXCEEDED, ABORTED
 */
export async function readVerifiedTar(
  task: VerifiedTarTask,
  control: Control,
  report: VerifiedTarReport,
  consumer: ByteStage
): Promise<void> {
  const blob = openBlob(task.source)
  try {
    await read(task, control, report, consumer, blob)
  } finally {
    blob.close()
  }
}

async function read(
  task: VerifiedTarTask,
  control: Control,
  report: VerifiedTarReport,
  consumer: ByteStage,
  blob: VerifiedBlob
): Promise<void> {
  const { layer, decompressor, diffId } = task
  const { input, compression } = actualContent(countedInput(blob, control, layer), task.compression)
  if (compression !== task.compression) report.otherCompression(compression)
  const check = isSameBytes(task, compression) ? undefined : new DiffIdCheck(diffId)
  for await (const chunk of decompress(input, compression, decompressor, control)) {
    check?.push(chunk)
    consumer.push(chunk)
  }
  consumer.finish()
  blob.verify()
  check?.finish()
}

/** The blob of an uncompressed layer is its tar, so verifying one digest verifies the other. */
function isSameBytes({ source, diffId }: VerifiedTarTask, compression: Compression): boolean {
  return compression === 'none' && source.digest === diffId
}
