/** The events that an operation reports to its caller. */
import type { Facts } from '../../errors.ts'
import type { CopyOutcome } from '../../store/copy-blob.ts'
import type { HookLogLine } from '../../hooks/load.ts'
import type { LayerCounters } from '../../worker/control.ts'

/** One layer of the image, as its descriptor and the config say. */
export interface LayerInfo {
  digest: string
  diffId: string
  mediaType: string
  /** Compressed bytes. */
  size: number
}

/** What a long operation is doing. Operations call back with these, in this order, from the calling thread. */
export type EngineEvent =
  /** The image is known and its layers are about to be read. */
  | { type: 'image'; image: string; manifest: string; layers: readonly LayerInfo[] }
  /** About ten times a second while layers are read; counts never go back. */
  | { type: 'progress'; layers: readonly LayerCounters[] }
  /** A layer is staged and verified: digest, size and diff ID. */
  | { type: 'layer'; layer: number; counters: LayerCounters }
  | { type: 'phase'; phase: Phase }
  /** How many paths a repack found to have changed. */
  | { type: 'changes'; count: number }
  /** Entries of the new layer that are written, of all. */
  | { type: 'packed'; entries: number; total: number }
  /** A copy has a blob at its destination; `size` in bytes. */
  | { type: 'blob'; digest: string; size: number; outcome: CopyOutcome }
  /** A line that a hook wrote to its standard error. */
  | ({ type: 'hook-log' } & HookLogLine)
  /**
   * A process that died had left this behind, and it is gone now. Absolute path. `undone`: what it had changed beside it was
   * put back first.
   */
  | { type: 'leftover'; path: string; undone: boolean }
  /** Something could not be had exactly, and that is no reason to fail. */
  | { type: 'warning'; message: string; facts: Facts }

export type Phase = 'join' | 'manifest' | 'publish' | 'compare' | 'pack' | 'store'

export type OnEvent = (event: EngineEvent) => void
