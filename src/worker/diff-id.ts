/** The diff ID of a layer: the digest of its tar. */
import { digestAlgorithm, finishDigest, type Digest } from '../image/digest.ts'
import type { Compression } from '../image/media-types.ts'
import { diffIdMismatch } from '../store/blob-errors.ts'
import type { BlobSource } from '../store/blob-source.ts'
import type { StreamHash } from '../sys/stream-hash.ts'

/** A layer with the diff ID that its tar should have. */
export interface ExpectedTar {
  source: BlobSource
  compression: Compression
  diffId: Digest
}

/** Whether verifying the blob verifies the diff ID, too: an uncompressed layer is its tar. */
export function isItsTar({ source, compression, diffId }: ExpectedTar): boolean {
  return compression === 'none' && source.digest === diffId
}

/** @throws DIFF_ID_MISMATCH */
export function checkDiffId(tar: StreamHash, expected: Digest): void {
  const found = finishDigest(tar, digestAlgorithm(expected))
  if (found !== expected) throw diffIdMismatch(expected, found)
}
