/** Takes compressed bytes in order; they are the receiver's to keep. What it throws ends the compression. */
export type Output = (bytes: Buffer) => void

/** A running compression. Whoever creates it calls `end()` or `stop()`; `stop()` after either does no harm. */
export interface Compressor {
  /**
   * Takes uncompressed bytes. One call at a time; the chunk may be reused when it resolves, which it does as
   * soon as there is room for more.
   */
  write(chunk: Uint8Array): Promise<void>
  /** Resolves when all of the output has been handed out. */
  end(): Promise<void>
  /** Gives up: no output comes any more, and no program is left behind. */
  stop(): Promise<void>
}
