/**
 * The contract of a sink: what receives the entries of one layer while the layer is read.
 *
 * A sink gets every entry in archive order, each as a call of `entry`, calls of `data` with its stored bytes (none for
 * an empty body or a hole) and a call of `end`. Names are already clean, ids mapped and limits checked. Entries come as
 * the layer has them: a name may come twice, a marker removes what is below, a hard link may lead to nothing. What they
 * mean together is decided in `plan/`, which sees each entry after its `end` has returned.
 *
 * A sink records on the entry where it put the object (`staged`, `body`) and what it learned on the way. It keeps no entry and no chunk: both belong to the reader again when a call returns.
 *
 * Nothing may be trusted while a sink works: its layer is verified only when the task that feeds it has succeeded. So a
 * sink writes only to private places, and never follows a path that an image gives. A call that throws ends the task;
 * then, as after success, `close` is called. What is on disk by then belongs to the caller, which removes it.
 *
 * The kinds of sinks are listed in `worker/sinks.ts`. A task names the one that it needs by a description, which is
 * plain data and can be sent to threads.
 */
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Extents } from '../tar/sparse.ts'

export interface LayerSink {
  /** Whether the file of the entry that was given last is to be hashed. Its digest comes after its `end`. */
  readonly hashesFile: boolean
  /**
   * @param body where the entry's stored bytes begin, counted from the start of the tar; no two entries have the same
   * @param extents for a sparse file: which parts of it are stored
   */
  entry(entry: StagedEntry, body: number, extents: Extents | undefined): void
  /** Bytes `start` to `end` of `chunk` belong at `position` of the file. Positions increase; gaps are holes. */
  data(chunk: Buffer, start: number, end: number, position: number): void
  /** The current entry is complete. */
  end(): void
  /** The layer is complete and verified: whatever a sink can only make now. */
  finish?(): unknown
  /** Releases what the sink holds; called once, whatever happened. */
  close(): void
}

/** Thrown by a sink that needs no more of its layer, which then remains unverified. */
export class StoppedEarly extends Error {}

/** What a sink reports besides the entries. */
export interface SinkReport {
  /** An attribute that the file system cannot hold. */
  lostXattr: (entry: StagedEntry, name: string) => void
  /** The bytes of holes of a sparse file, if they are to be counted; throws if these are too many. */
  holes: (bytes: number) => void
}
