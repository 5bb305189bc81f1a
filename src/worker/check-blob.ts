/** The task of reading one blob to its end, only to check that it matches its descriptor. */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import { actualContent } from '../codec/actual-compression.ts'
import { decompress } from '../codec/decompress.ts'
import { digestAlgorithm, type Digest, type DigestAlgorithm } from '../image/digest.ts'
import { openBlob, type VerifiedBlob } from '../store/blob.ts'
import type { BlobSource } from '../store/blob-source.ts'
import type { Control } from './control.ts'
import { countedInput } from './counted-input.ts'
import { TarDigest } from './diff-id.ts'

export interface CheckBlobTask {
  type: 'check-blob'
  /** Its index among the counters. */
  layer: number
  source: BlobSource
  /** For a layer: how it is packed according to its media type, and which diff IDs are expected. */
  content: LayerContent | undefined
}

interface LayerContent {
  compression: Compression
  decompressor: DecompressorChoice
  algorithms: readonly DigestAlgorithm[]
}

export interface CheckedContent {
  /** For a layer, at least one for each algorithm; for other blobs, none. */
  diffIds: readonly Digest[]
}

/**
 * @throws what reading and decompressing throw; damage to the blob itself takes precedence over errors that result from
 * it
 */
export async function checkBlob(task: CheckBlobTask, control: Control): Promise<CheckedContent> {
  const blob = openBlob(task.source)
  try {
    const diffIds = await readContent(task, blob, control)
    blob.verify()
    return { diffIds }
  } catch (error) {
    if (!control.aborted()) blob.verify()
    throw error
  } finally {
    blob.close()
  }
}

async function readContent(
  task: CheckBlobTask,
  blob: VerifiedBlob,
  control: Control
): Promise<Digest[]> {
  const { layer, content } = task
  const input = countedInput(blob, control, layer)
  if (content === undefined) {
    while (input.read() !== undefined) control.throwIfAborted()
    return []
  }
  const { decompressor, algorithms } = content
  const actual = actualContent(input, content.compression)
  const known = actual.compression === 'none' ? [task.source.digest] : []
  // the digest of an uncompressed layer is also its diff ID, so verifying one verifies the other
  const unknown = algorithms.filter((algorithm) => !known.map(digestAlgorithm).includes(algorithm))
  const digests = unknown.map((algorithm) => new TarDigest(algorithm))
  for await (const chunk of decompress(actual.input, actual.compression, decompressor, control)) {
    control.addUnpacked(layer, chunk.length)
    for (const digest of digests) digest.push(chunk)
  }
  return [...known, ...digests.map((digest) => digest.digest())]
}
