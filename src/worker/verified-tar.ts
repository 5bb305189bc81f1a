/** A layer from its blob to the bytes of its tar, verified to the last byte: blob → digest → decompress → diff ID. */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import { actualContent } from '../codec/actual-compression.ts'
import { decompress } from '../codec/decompress.ts'
import { blamedOn } from '../store/blamed-blob.ts'
import { openBlob, type VerifiedBlob } from '../store/blob.ts'
import type { ByteStage } from './byte-stage.ts'
import type { Control } from './control.ts'
import { countedInput } from './counted-input.ts'
import { diffIdCheck, type ExpectedTar } from './diff-id.ts'
import type { TarSizeLimits } from './tar-limits.ts'

export interface VerifiedTarTask extends ExpectedTar {
  /** Its index among the layers of the image. */
  layer: number
  decompressor: DecompressorChoice
  limits: TarSizeLimits
}

export interface VerifiedTarReport {
  /** The media type of the layer is wrong, and it is read as what it is. */
  otherCompression: (found: Compression) => void
}

/**
 * @param consumer checks the limits, as `limited` does; must not trust anything before this returns: it is finished
 * before the last checks
 * @throws BLOB_*, which is told before whatever follows from it; COMPRESSION_INVALID, DIFF_ID_MISMATCH, LIMIT_EXCEEDED,
 * ABORTED
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
  } catch (error) {
    throw blamedOn(blob, error)
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
  const { layer, decompressor } = task
  const { input, compression } = actualContent(countedInput(blob, control, layer), task.compression)
  if (compression !== task.compression) report.otherCompression(compression)
  const check = diffIdCheck({ ...task, compression })
  for await (const chunk of decompress(input, compression, decompressor, control)) {
    check?.push(chunk)
    consumer.push(chunk)
  }
  consumer.finish()
  blob.verify()
  check?.finish()
}
