/** The task of reading one blob to its end, only to check that it matches its descriptor. */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import type { Digest } from '../image/digest.ts'
import { openBlob } from '../store/blob.ts'
import type { BlobSource } from '../store/blob-source.ts'
import type { Control } from './control.ts'
import { countedInput } from './counted-input.ts'
import { readVerifiedTar } from './verified-tar.ts'

export interface CheckBlobTask {
  type: 'check-blob'
  /** Its index among the counters. */
  layer: number
  source: BlobSource
  /** For a layer whose tar has to be counted and verified. The compression is that of its media type. */
  content: LayerContent | undefined
  /** The memory of a line that other threads may join. */
  line?: SharedArrayBuffer
}

interface LayerContent {
  compression: Compression
  decompressor: DecompressorChoice
  diffId: Digest
}

/** @throws BLOB_*, COMPRESSION_INVALID, DIFF_ID_MISMATCH, ABORTED */
export async function checkBlob(task: CheckBlobTask, control: Control): Promise<void> {
  const { content, ...rest } = task
  if (content === undefined) {
    checkBytes(task, control)
    return
  }
  const consumer = {
    push: (chunk: Buffer) => {
      control.throwIfAborted()
      control.addUnpacked(task.layer, chunk.length)
    },
    finish: () => undefined
  }
  await readVerifiedTar({ ...rest, ...content }, control, SILENT, consumer)
}

const SILENT = { otherCompression: () => undefined }

function checkBytes({ source, layer }: CheckBlobTask, control: Control): void {
  const blob = openBlob(source)
  try {
    const input = countedInput(blob, control, layer)
    while (input.read() !== undefined) control.throwIfAborted()
    blob.verify()
  } finally {
    blob.close()
  }
}
