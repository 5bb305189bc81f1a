/** The contract between the reader and the receiver of its entries. */
import type { TarEntry } from './entry.ts'
import type { Extents } from './sparse.ts'

/** Takes what the reader finds. Anything that its methods throw passes through `push` to the caller. */
export interface TarSink {
  /**
   * The next entry, with all extensions applied. Duplicates are passed on in order.
   * @param body position of its stored bytes in the archive; different for any two entries
   * @param extents for a sparse file: the parts of it that are stored
   */
  entry(entry: TarEntry, body: number, extents: Extents | undefined): void
  /**
   * Bytes `start` to `end` of `chunk` belong at `position` in the body of the current entry. Positions increase. Gaps
   * between them, and after the last up to the entry's size, are holes. The chunk is only valid during the call.
   */
  data(chunk: Buffer, start: number, end: number, position: number): void
  /** The entry is complete. Called after every entry, even without a body. */
  end(): void
}
