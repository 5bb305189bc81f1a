/** A layer from its blob to the bytes of its tar, verified to the last: blob → digest → decompress → diff ID. */
import { createHash } from 'node:crypto'
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import { decompress } from '../codec/decompress.ts'
import { digestAlgorithm, finishDigest, type Digest } from '../image/digest.ts'
import { diffIdMismatch } from '../store/blob-errors.ts'
import { openBlob, type VerifiedBlob } from '../store/blob.ts'
import type { BlobSource } from '../store/blob-source.ts'
import type { Control } from './control.ts'
import { countedInput } from './counted-input.ts'
import { checkLimit } from './limit.ts'

export interface VerifiedTarTask {
  /** Its place among the layers of the image. */
  layer: number
  source: BlobSource
  compression: Compression
  diffId: Digest
  decompressor: DecompressorChoice
  limits: TarSizeLimits
}

export interface TarSizeLimits {
  /** Over all layers of the image. */
  unpackedBytes: number
  /** Bytes of tar for each compressed byte, in any one layer. */
  ratio: number
}

export interface TarConsumer {
  /** Valid until it returns. Nothing may be trusted before all is over. */
  chunk: (chunk: Buffer) => void
  /** The end of the tar, before the last checks. */
  end: () => void
}

/** Below this many bytes of tar the ratio says nothing. */
const RATIO_FLOOR = 64 * 1024 * 1024

/** @throws BLOB_*, COMPRESSION_INVALID, DIFF_ID_MISMATCH, LIMIT_EXCEEDED, ABORTED */
export async function readVerifiedTar(
  task: VerifiedTarTask,
  control: Control,
  consumer: TarConsumer
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
  consumer: TarConsumer,
  blob: VerifiedBlob
): Promise<void> {
  const { layer, compression, decompressor, diffId } = task
  const algorithm = digestAlgorithm(diffId)
  const hash = isSameBytes(task) ? undefined : createHash(algorithm)
  const input = countedInput(blob, control, layer)
  for await (const chunk of decompress(input, compression, decompressor, control)) {
    count(task, control, chunk.length)
    hash?.update(chunk)
    consumer.chunk(chunk)
  }
  consumer.end()
  blob.verify()
  if (hash === undefined) return
  const found = finishDigest(hash, algorithm)
  if (found !== diffId) throw diffIdMismatch(diffId, found)
}

function count({ layer, source, limits }: VerifiedTarTask, control: Control, bytes: number): void {
  control.throwIfAborted()
  control.addUnpacked(layer, bytes)
  checkLimit('unpacked bytes', control.unpacked, limits.unpackedBytes)
  const { unpacked } = control.layer(layer)
  if (unpacked > RATIO_FLOOR)
    checkLimit('ratio of unpacked to compressed bytes', unpacked / source.size, limits.ratio)
}

/** An uncompressed layer's blob is its tar: what proves the one digest proves the other. */
function isSameBytes({ compression, source, diffId }: VerifiedTarTask): boolean {
  return compression === 'none' && source.digest === diffId
}
