/** The contract between the engine and its hooks, whatever these are made of. */
import type { Digest } from '../image/digest.ts'
import type { Json } from '../image/json.ts'
import type { ChangedPaths } from '../plan/changed-paths.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import type * as contexts from './contexts.ts'
import type { Owner } from './owner.ts'
import type { HookPoint } from './points.ts'

/**
 * Where a layer goes. `rootfs`: the engine makes the root file system itself. `layer`: each layer alone, into the
 * directory that pre-extract names. `chain`: each on top of its parent's state in the directory that pre-extract names.
 */
export type ExtractMode = 'rootfs' | 'layer' | 'chain'

/** A layer that `prepare` has answered for. */
export type PreparedLayer =
  { readonly status: 'skip'; readonly target?: string } | { readonly status: 'decline' }

/** What is told and what a good answer holds, at each point. `target` is an absolute path. */
export interface HookCalls {
  prepare: {
    context: contexts.PrepareContext
    answer: { readonly layers: ReadonlyMap<Digest, PreparedLayer> }
  }
  /** The committed directory; always there but in `rootfs`. */
  'try-skip': { context: contexts.LayerContext; answer: { readonly target?: string } }
  /** The staged directory to write to; always there but in `rootfs`. */
  'pre-extract': { context: contexts.LayerContext; answer: { readonly target?: string } }
  /** The committed directory, where it is not the staged one. */
  'post-extract': { context: contexts.PostExtractContext; answer: { readonly target?: string } }
  finish: { context: contexts.FinishContext; answer: Nothing }
  abort: { context: contexts.AbortContext; answer: Nothing }
  'runtime-config': {
    context: contexts.RuntimeConfigContext
    answer: { readonly config?: Readonly<Record<string, Json>> }
  }
  'delta-list': { context: contexts.DeltaListContext; answer: { readonly paths: ChangedPaths } }
  'refresh-bundle': { context: contexts.RefreshBundleContext; answer: Nothing }
  delete: { context: contexts.BundleContext; answer: Nothing }
  gc: { context: contexts.GcContext; answer: Nothing }
}

type Nothing = Readonly<Record<string, never>>

export type ContextOf<P extends HookPoint> = HookCalls[P]['context']
export type AnswerOf<P extends HookPoint> = HookCalls[P]['answer']

/** A hook that is busy was asked until it was not, and one that failed has thrown: neither is an outcome. */
export type HookOutcome<P extends HookPoint> =
  { readonly status: 'yes'; readonly answer: AnswerOf<P> } | { readonly status: 'decline' }

export interface HookSet {
  /** Shown in logs and errors. */
  readonly name: string
  readonly extract: ExtractMode
  /** Inside a layer's own directory, where `extract` is `layer`. */
  readonly whiteouts: WhiteoutForm | undefined
  /** `never`: no mtree manifest is written, since delta-list is trusted. */
  readonly manifest: 'auto' | 'never'
  /** What to do when delta-list fails; without it the repack fails. */
  readonly deltaFallback: 'mtree' | undefined
  /** Where there is a hook; at any other point a call declines. */
  readonly points: ReadonlySet<HookPoint>
  /** Alive as long as anything that works for these hooks. */
  readonly owner: Owner
  /**
   * Asks the hook and waits for its answer, at most the point's time-out. Calls may run at once.
   * When the promise settles other than well, nothing that the hook started in its process group runs on.
   *
   * @throws HOOK_FAILED, HOOK_TIMEOUT, HOOK_ANSWER_INVALID; ABORTED where `signal` says so
   */
  call<P extends HookPoint>(
    point: P,
    context: ContextOf<P>,
    signal?: AbortSignal
  ): Promise<HookOutcome<P>>
  /** Ends the processes that wait for further calls. Whoever made the set calls this in the end; twice is once. */
  close(): Promise<void>
}
