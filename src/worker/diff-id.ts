/** The stage that hashes a layer's tar. */
import { createHash, type Hash } from 'node:crypto'
import {
  digestAlgorithm,
  finishDigest,
  type Digest,
  type DigestAlgorithm
} from '../image/digest.ts'
import { diffIdMismatch } from '../store/blob-errors.ts'
import type { ByteStage } from './byte-stage.ts'

export class TarDigest {
  private readonly algorithm: DigestAlgorithm
  private readonly hash: Hash

  constructor(algorithm: DigestAlgorithm) {
    this.algorithm = algorithm
    this.hash = createHash(algorithm)
  }

  push(chunk: Buffer): void {
    this.hash.update(chunk)
  }

  /** The digest of everything that was pushed. Call it only once. */
  digest(): Digest {
    return finishDigest(this.hash, this.algorithm)
  }
}

export class DiffIdCheck implements ByteStage {
  private readonly expected: Digest
  private readonly tar: TarDigest

  constructor(expected: Digest) {
    this.expected = expected
    this.tar = new TarDigest(digestAlgorithm(expected))
  }

  push(chunk: Buffer): void {
    this.tar.push(chunk)
  }

  /** @throws DIFF_ID_MISMATCH */
  finish(): void {
    const found = this.tar.digest()
    if (found !== this.expected) throw diffIdMismatch(this.expected, found)
  }
}
