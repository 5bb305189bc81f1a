/** A layer from its blob to the bytes of its tar, verified to the last byte: blob → digest → decompress → diff ID. */
import type { DecompressorChoice } from '../codec/choice.ts'
import { assertContent, compressionOf } from '../codec/content.ts'
import { decompress } from '../codec/decompress.ts'
import type { Compression } from '../image/media-types.ts'
import { blamedOn } from '../store/blamed-blob.ts'
import type { VerifiedBlob } from '../store/blob.ts'
import { hashPieces } from './body-digests.ts'
import type { Control } from './control.ts'
import { countedInput } from './counted-input.ts'
import { checkDiffId, isItsTar, type ExpectedTar } from './diff-id.ts'
import { isForLine } from './for-line.ts'
import { lineHashes, openLineBlob } from './line-hashes.ts'
import { chunkAround, lineMemory, newLineMemory } from './line-memory.ts'
import { readLine, type LineWork, type TarConsumer } from './read-line.ts'

export interface VerifiedTarTask extends ExpectedTar {
  /** Its index among the layers of the image. */
  layer: number
  decompressor: DecompressorChoice
  /** The memory of a line that other threads may join. */
  line?: SharedArrayBuffer
}

export interface VerifiedTarReport {
  /** The media type of the layer is wrong, and it is read as what it is. */
  otherCompression: (found: Compression) => void
}

/**
 * @param consumer must not trust anything before this returns: it is finished before the last checks
 * @throws BLOB_*, which is told before whatever follows from it; COMPRESSION_INVALID, DIFF_ID_MISMATCH, ABORTED,
 * and what the consumer throws
 */
export async function readVerifiedTar(
  task: VerifiedTarTask,
  control: Control,
  report: VerifiedTarReport,
  consumer: TarConsumer
): Promise<void> {
  const wanted = { ...task, digests: consumer.bodies !== undefined }
  const memory = lineMemory(task.line ?? newLineMemory())
  const hashes = lineHashes(memory, wanted)
  for (const hash of [hashes.blob, hashes.tar, hashes.body]) hash.reset()
  const blob = openLineBlob(memory, wanted, hashes)
  try {
    const compression = actualCompression(blob, task.compression, report)
    const actual = { ...wanted, compression }
    if (consumer.decode === undefined && isForLine(actual))
      readLine(memory, actual, control, { blob, hashes, consumer })
    else await readAlone(actual, control, { blob, hashes, consumer })
    consumer.finish()
    blob.verify()
    if (!isItsTar(actual)) checkDiffId(hashes.tar, task.diffId)
  } catch (error) {
    throw blamedOn(blob, error)
  } finally {
    blob.close()
  }
}

/** The compression that the first bytes show; if these say nothing, that of the media type. */
function actualCompression(
  blob: VerifiedBlob,
  declared: Compression,
  report: VerifiedTarReport
): Compression {
  const head = blob.peek()
  const compression = compressionOf(head, declared)
  if (compression !== declared) report.otherCompression(compression)
  assertContent(head, compression)
  return compression
}

/** By a decoder that only this thread can use. */
async function readAlone(
  task: VerifiedTarTask,
  control: Control,
  { blob, hashes, consumer }: LineWork
): Promise<void> {
  const { layer, decompressor, compression } = task
  const input = countedInput(blob, control, layer)
  const { bodies } = consumer
  const pause = (): void => control.throwIfAborted()
  const decode = consumer.decode ?? decompress
  for await (const bytes of decode(input, compression, decompressor, control)) {
    const chunk = chunkAround(bytes)
    bodies?.begin(chunk, (pieces) => hashPieces(chunk, pieces, hashes.body, hashes.body, pause))
    consumer.push(bytes)
    hashes.tar.update(bytes, 0, bytes.length)
    hashPieces(chunk, bodies?.parse() ?? 0, hashes.body, hashes.tar, pause)
    hashes.tar.settle(hashes.blob)
    bodies?.take(chunk)
  }
}
