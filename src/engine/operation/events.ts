/** The events that an operation reports to its caller. */
import type { Facts } from '../../errors.ts'
import type { CopyOutcome } from '../../store/copy-blob.ts'
import type { KeptChange, MergeConflict } from '../../plan/upgrade/merge-plan.ts'
import type { HookLogLine } from '../../hooks/load.ts'
import type { RetryEvent } from '../../registry/registry.ts'
import type { TransferEvent } from '../../transports/transport.ts'
import type { LayerCounters } from '../../worker/control.ts'

/** One layer of the image, according to its descriptor and the config. */
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
  /**
   * Sent about ten times a second while layers are read; counts never decrease. The rate is that of the last three
   * seconds, in compressed bytes of all layers.
   */
  | { type: 'progress'; layers: readonly LayerCounters[]; bytesPerSecond: number }
  /** A layer is staged and verified: digest, size and diff ID. */
  | { type: 'layer'; layer: number; counters: LayerCounters }
  | { type: 'phase'; phase: Phase }
  /** How many paths a repack found to have changed. */
  | { type: 'changes'; count: number }
  /** How many entries of the new layer or archive are written, out of how many. */
  | { type: 'packed'; entries: number; total: number }
  /** What an upgrade carries over, and what it cannot carry over without a rule. Nothing of it has been done yet. */
  | { type: 'merge'; kept: readonly KeptChange[]; conflicts: readonly MergeConflict[] }
  /** A blob of a copy is at its destination; `size` in bytes. */
  | { type: 'blob'; digest: string; size: number; outcome: CopyOutcome }
  /** Blobs of a copy, or of a changed image, go over the network. */
  | TransferEvent
  /** A request to a registry failed, and is sent again. */
  | RetryEvent
  /** A hook was called, or has answered or failed. Several may work at once. */
  | HookCallEvent
  /** A line that a hook wrote to its standard error. */
  | ({ type: 'hook-log' } & HookLogLine)
  /**
   * Leftovers of a dead process were removed. The path is absolute. `undone` says whether other changes of that process
   * were undone first.
   */
  | { type: 'leftover'; path: string; undone: boolean }
  /** What the operation chose by itself: a platform, a registry, layers that are there already. */
  | { type: 'choice'; message: string; facts: Facts }
  /** Something could not be done exactly, but this is not a reason to fail. */
  | { type: 'warning'; message: string; facts: Facts }

export interface HookCallEvent {
  type: 'hook'
  /** The name of the hook set. */
  hooks: string
  /** The point, such as `unpack.ociv1.finish`. */
  hook: string
  /** Counted from 0; only for calls about one layer. */
  layer?: number
  state: 'begun' | 'ended'
}

export type Phase = 'join' | 'manifest' | 'publish' | 'compare' | 'pack' | 'save' | 'store'

export type OnEvent = (event: EngineEvent) => void
