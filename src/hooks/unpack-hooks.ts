/** Hooks as functions: what a user of the library writes. */
import type { Json } from '../image/json.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import type { ExtractMode } from './calls.ts'
import type * as contexts from './contexts.ts'

/**
 * Hooks as functions. Each gets the facts of the call, and may take as long as `timeout` says. "decline" means do
 * it yourself, "busy" ask again in a moment; no answer means done; a thrown error is a failure and ends the operation.
 * A target is an absolute path.
 */
export interface UnpackHooks {
  /** Shown in errors; default `functions`. */
  name?: string
  /** Default `rootfs`. With `layer` and `chain` there must be trySkip, preExtract, postExtract and finish. */
  extract?: ExtractMode
  /** Only with `layer`; default `overlay`. */
  whiteouts?: WhiteoutForm
  /** Default `auto`. */
  manifest?: 'auto' | 'never'
  /** Milliseconds for a call, with the times that it was busy; default 60,000. */
  timeout?: number

  /** Once, before any layer: is the storage usable? May answer trySkip for layers, by chain ID. */
  prepare?(context: contexts.PrepareContext, call: FunctionCall): Reply<PrepareReply>
  /** "skip" (with a target but in `rootfs`): this layer is committed, and nothing of it is read. */
  trySkip?(layer: contexts.LayerContext, call: FunctionCall): Promise<SkipReply> | SkipReply
  /** The directory to write the layer to: empty for `layer`, the parent's state for `chain`. */
  preExtract?(layer: contexts.LayerContext, call: FunctionCall): Reply<Target>
  /** The layer is written and verified: commit it. May answer with the directory that it now has. */
  postExtract?(layer: contexts.PostExtractContext, call: FunctionCall): Reply<Target>
  /** All layers are there: make the root file system. */
  finish?(context: contexts.FinishContext, call: FunctionCall): Reply
  /** Something failed: undo what preExtract made and what was not committed. May be called twice. */
  abort?(context: contexts.AbortContext, call: FunctionCall): Reply
  /** May answer with a config.json to take instead. */
  runtimeConfig?(
    context: contexts.RuntimeConfigContext,
    call: FunctionCall
  ): Reply<{ config?: Readonly<Record<string, Json>> }>
  /** Paths relative to the root file system, as text or bytes; one ending in `/` stands for the whole tree. */
  deltaList?(
    context: contexts.DeltaListContext,
    call: FunctionCall
  ): Promise<DeltaReply> | DeltaReply
  /** The image has a new layer: make the root file system as if unpacked from it. */
  refreshBundle?(context: contexts.RefreshBundleContext, call: FunctionCall): Reply
  /** Remove everything that belongs to the bundle. May be called twice. */
  delete?(context: contexts.BundleContext, call: FunctionCall): Reply
  /** Remove committed layers that are not live. */
  gc?(context: contexts.GcContext, call: FunctionCall): Reply
}

export interface FunctionCall {
  /** Aborted when the answer is no longer needed: the time is over, or the operation was stopped. */
  readonly signal: AbortSignal
  /**
   * To be inherited by every process that the function starts and that may outlive this one: as long as it is open
   * anywhere, no other operation works on the same bundle and layers.
   */
  readonly lockFd: number
}

interface Target {
  target?: string
}

interface PrepareReply {
  layers?: Readonly<Record<string, 'skip' | 'decline' | { target: string }>>
}

type NotNow = 'decline' | 'busy'
type SkipReply = 'skip' | Target | NotNow
type DeltaReply = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array> | NotNow
type Answer<T> = T | NotNow | undefined
type Reply<T = never> = Answer<T> | Promise<Answer<T>> | Promise<void>
