/** The meaning of the cells that threads on one layer share: locks, counters and a signal. */

/**
 * So many chunks may be on the line: enough for each thread to do one thing for a while, because to wake another one takes as
 * long as hashing a chunk; few enough to stay in the cache that cores share.
 */
export const CHUNKS = 24

/** How many cells there are. */
export const CELLS: number = 16 + 4 * CHUNKS

/** What a cell means. `lengths`, `busy` and `pieces` have one cell for each chunk. */
export const CELL: Readonly<Record<CellName, number>> = {
  /** Counts changes, for `wait`. */
  signal: 0,
  readLock: 1,
  hashLock: 2,
  /** How many chunks were read, parsed and hashed. */
  read: 3,
  parsed: 4,
  hashed: 5,
  /** 1: everything was read; 2: reading failed. */
  end: 6,
  /** 1: the layer's own thread has finished or given up. */
  closed: 7,
  /** What the blob is (1: tar, 2: gzip), when others may join. */
  format: 8,
  /** How many other threads are on the line. */
  assistants: 9,
  /** 1: assistants are to leave. */
  leave: 10,
  /** 1: an assistant's thread has died, which may still count as one and hold a lock. Nothing on the line is of use. */
  deserted: 11,
  /** Bytes in the chunk. */
  lengths: 16,
  /** How many stages the chunk still has to pass; 0 if it is not on the line. */
  busy: 16 + CHUNKS,
  pieces: 16 + 2 * CHUNKS,
  /** Which chunk has which place in the line: one for each of the last places. */
  order: 16 + 3 * CHUNKS
}

type CellName =
  | 'signal'
  | 'readLock'
  | 'hashLock'
  | 'read'
  | 'parsed'
  | 'hashed'
  | 'end'
  | 'closed'
  | 'format'
  | 'assistants'
  | 'leave'
  | 'deserted'
  | 'lengths'
  | 'busy'
  | 'pieces'
  | 'order'

/** Waiting ends at least so often, to see whether the operation was stopped. */
export const PATIENCE_MS = 50
