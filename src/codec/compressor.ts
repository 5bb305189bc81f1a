/** Takes compressed bytes in order; the receiver may keep them. If it throws, the compression ends. */
export type Output = (bytes: Buffer) => void

/** The best size of a chunk. */
export const BLOCK_BYTES: number = 1 << 20

/** A running compression. Its creator calls `end()` or `stop()`; a further `stop()` does no harm. */
export interface Compressor {
  /**
   * Takes uncompressed bytes. One call at a time. Resolves as soon as there is room for more, to memory of the same size for
   * the next chunk: that of this one, or other memory where this one is still in use.
   */
  write(chunk: Buffer): Promise<Buffer>
  /** Resolves when all output has been handed over. */
  end(): Promise<void>
  /** Gives up: no more output comes, and no program is left running. */
  stop(): Promise<void>
}
