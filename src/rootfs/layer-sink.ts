/**
 * What the entries of one layer go to, while the layer is read.
 *
 * A sink gets every entry in archive order, and of each in turn: `entry`, its stored bytes with `data` (none for an empty
 * body or a hole), `end`. Names are clean, ids are mapped and limits are checked before. Entries come as the layer has
 * them: a name may come twice, a marker removes what is below, a hard link may lead to nothing. What they mean together
 * is for `plan/` to decide, which sees each entry when its `end` has returned.
 *
 * A sink writes on the entry where it put its object (`staged`, `body`), and what it found out on the way (`sha256`).
 * It keeps no entry and no chunk: both are the reader's again when a call returns.
 *
 * Nothing may be trusted while a sink works. Its layer is verified when the task that feeds it has ended well, and not
 * before; so a sink writes only in private places, and never follows what an image says to where that leads.
 * A call that throws ends the task; then, as at a good end, comes `close`. What lies on disk by then belongs to
 * the caller, which removes it.
 *
 * Its kinds are listed in `worker/sinks.ts`. A task names the one that it needs by a description, which is plain data
 * and crosses threads.
 */
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Extents } from '../tar/sparse.ts'

export interface LayerSink {
  /**
   * @param body where the entry's stored bytes begin, counted from the start of the tar; no two entries have the same
   * @param extents of a sparse file: which parts of it the stored bytes are
   */
  entry(entry: StagedEntry, body: number, extents: Extents | undefined): void
  /** Bytes `start` to `end` of `chunk` belong at `position` of the file. Positions rise; what is left out is a hole. */
  data(chunk: Buffer, start: number, end: number, position: number): void
  /** The entry at hand is complete. */
  end(): void
  /** Releases what the sink holds; called once, after whatever happened. */
  close(): void
}

/** What a sink has to tell beside the entries. */
export interface SinkReport {
  /** An attribute that the file system cannot hold. */
  lostXattr: (entry: StagedEntry, name: string) => void
}
