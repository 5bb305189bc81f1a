/** The stage that hashes a layer's tar. */
import { createHash, type Hash } from 'node:crypto'
import {
  digestAlgorithm,
  finishDigest,
  type Digest,
  type DigestAlgorithm
} from '../image/digest.ts'
import type { Compression } from '../image/media-types.ts'
import { diffIdMismatch } from '../store/blob-errors.ts'
import type { BlobSource } from '../store/blob-source.ts'
import type { ByteStage } from './byte-stage.ts'

/** A layer with the diff ID that its tar should have. */
export interface ExpectedTar {
  source: BlobSource
  compression: Compression
  diffId: Digest
}

/**
 * The check of a layer's diff ID. Undefined if verifying the blob verifies it too: an uncompressed layer is its tar.
 */
export function diffIdCheck({ source, compression, diffId }: ExpectedTar): DiffIdCheck | undefined {
  const isSame = compression === 'none' && source.digest === diffId
  return isSame ? undefined : new DiffIdCheck(diffId)
}

class DiffIdCheck implements ByteStage {
  private readonly expected: Digest
  private readonly algorithm: DigestAlgorithm
  private readonly hash: Hash

  constructor(expected: Digest) {
    this.expected = expected
    this.algorithm = digestAlgorithm(expected)
    this.hash = createHash(this.algorithm)
  }

  push(chunk: Buffer): void {
    this.hash.update(chunk)
  }

  /** @throws DIFF_ID_MISMATCH */
  finish(): void {
    const found = finishDigest(this.hash, this.algorithm)
    if (found !== this.expected) throw diffIdMismatch(this.expected, found)
  }
}
