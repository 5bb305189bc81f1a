/** The task of reading one blob to its end, only to check that it matches its descriptor. */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import { actualContent } from '../codec/actual-compression.ts'
import { decompress } from '../codec/decompress.ts'
import type { Digest } from '../image/digest.ts'
import { blamedOn } from '../store/blamed-blob.ts'
import { openBlob, type VerifiedBlob } from '../store/blob.ts'
import type { BlobSource } from '../store/blob-source.ts'
import type { Control } from './control.ts'
import { countedInput } from './counted-input.ts'
import { diffIdCheck } from './diff-id.ts'

export interface CheckBlobTask {
  type: 'check-blob'
  /** Its index among the counters. */
  layer: number
  source: BlobSource
  /** For a layer whose tar has to be counted and verified. The compression is that of its media type. */
  content: LayerContent | undefined
}

interface LayerContent {
  compression: Compression
  decompressor: DecompressorChoice
  diffId: Digest
}

/** @throws BLOB_*, COMPRESSION_INVALID, DIFF_ID_MISMATCH, ABORTED */
export async function checkBlob(task: CheckBlobTask, control: Control): Promise<void> {
  const blob = openBlob(task.source)
  try {
    await readContent(task, blob, control)
  } catch (error) {
    throw blamedOn(blob, error)
  } finally {
    blob.close()
  }
}

async function readContent(
  { layer, source, content }: CheckBlobTask,
  blob: VerifiedBlob,
  control: Control
): Promise<void> {
  const input = countedInput(blob, control, layer)
  if (content === undefined) {
    while (input.read() !== undefined) control.throwIfAborted()
    blob.verify()
    return
  }
  const { decompressor } = content
  const actual = actualContent(input, content.compression)
  const check = diffIdCheck({ source, ...content, compression: actual.compression })
  for await (const chunk of decompress(actual.input, actual.compression, decompressor, control)) {
    control.addUnpacked(layer, chunk.length)
    check?.push(chunk)
  }
  blob.verify()
  check?.finish()
}
