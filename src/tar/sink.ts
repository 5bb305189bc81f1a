/** The contract between the reader and whatever takes its entries. */
import type { TarEntry } from './entry.ts'
import type { Extents } from './sparse.ts'

/** Who takes what the reader finds. What its methods throw goes through `push` to the caller. */
export interface TarSink {
  /**
   * The next entry, with all extensions applied. Duplicates are passed on as they come.
   * @param body where its stored bytes begin, counted from the start of the archive; no two entries have the same
   * @param extents of a sparse file: which parts of it the stored bytes are
   */
  entry(entry: TarEntry, body: number, extents: Extents | undefined): void
  /**
   * Bytes `start` to `end` of `chunk` belong at `position` of the current entry's body. Positions
   * rise; what is left out between them, or after the last up to the entry's size, is a hole.
   * The chunk is only valid during the call.
   */
  data(chunk: Buffer, start: number, end: number, position: number): void
  /** The entry is complete. Called after every entry, also after those without a body. */
  end(): void
}
