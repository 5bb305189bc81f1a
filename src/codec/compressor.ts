/** Takes compressed bytes in order; the receiver may keep them. If it throws, the compression ends. */
export type Output = (bytes: Buffer) => void

/** A running compression. Its creator calls `end()` or `stop()`; a further `stop()` does no harm. */
export interface Compressor {
  /**
   * Takes uncompressed bytes. One call at a time. Resolves as soon as there is room for more; then the chunk may be
   * reused.
   */
  write(chunk: Uint8Array): Promise<void>
  /** Resolves when all output has been handed over. */
  end(): Promise<void>
  /** Gives up: no more output comes, and no program is left running. */
  stop(): Promise<void>
}
