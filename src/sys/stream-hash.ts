/** The hash of a stream whose bytes lie still for a while, so that hashing them can wait. Loads no native code. */
import { createHash, type Hash } from 'node:crypto'

export interface StreamHash {
  /** Begins a new stream. */
  reset(): void
  /**
   * Begins a new stream after so many bytes, a multiple of 64, which lead to this state: eight numbers of 32 bits, little-endian, in
   * hexadecimal digits. False if that is not possible.
   */
  resume(length: number, state: string): boolean
  /** More bytes. They must stay where and as they are until `settle`, or until the next call of `update` or `digest`. */
  update(chunk: Buffer, start: number, end: number): void
  /** Hashes the bytes that were given, and in the same time as many of those that the stream beside was given. */
  settle(beside?: StreamHash): void
  /** The digest in hex, or as bytes (latin1). Only `reset` may follow. */
  digest(encoding: 'hex' | 'binary', beside?: StreamHash): string
}

/** By `node:crypto`: hashes at once, and keeps what it knows to itself. */
export function wholeHash(algorithm: 'sha256' | 'sha512'): StreamHash {
  return new WholeHash(algorithm)
}

class WholeHash implements StreamHash {
  private readonly algorithm: string
  private hash: Hash

  constructor(algorithm: string) {
    this.algorithm = algorithm
    this.hash = createHash(algorithm)
  }

  reset(): void {
    this.hash = createHash(this.algorithm)
  }

  resume(): boolean {
    return false
  }

  update(chunk: Buffer, start: number, end: number): void {
    this.hash.update(chunk.subarray(start, end))
  }

  settle(): void {}

  digest(encoding: 'hex' | 'binary'): string {
    return this.hash.digest(encoding)
  }
}
