/** The contract between the engine and its hooks, of every kind. */
import type { Digest } from '../image/digest.ts'
import type { Json } from '../image/json.ts'
import type { ChangedPaths } from '../plan/changed-paths.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import type * as contexts from './contexts.ts'
import type { Owner } from './owner.ts'
import type { HookPoint } from './points.ts'

/**
 * Where layers go. `rootfs`: the engine makes the root file system itself. `layer`: each layer goes alone into the
 * directory that pre-extract names. `chain`: each layer goes on top of its parent's state, in the directory that
 * pre-extract names. `image`: each layer becomes one EROFS image, the file that pre-extract names, and so does what joins
 * them, at the path that merge names.
 */
export type ExtractMode = 'rootfs' | 'layer' | 'chain' | 'image'

/** What `prepare` answered for a layer. */
export type PreparedLayer =
  { readonly status: 'skip'; readonly target?: string } | { readonly status: 'decline' }

/** For each point, what the hook is told and what a good answer contains. `target` is an absolute path. */
export interface HookCalls {
  prepare: {
    context: contexts.PrepareContext
    answer: { readonly layers: ReadonlyMap<Digest, PreparedLayer> }
  }
  /** The committed directory or image; always present except with `rootfs`. */
  'try-skip': { context: contexts.LayerContext; answer: { readonly target?: string } }
  /** Where the image is, or is to be, that joins all layers; always present with `image`, where alone it is asked. */
  merge: { context: contexts.MergeContext; answer: { readonly target?: string } }
  /** The staged directory or image to write to; always present except with `rootfs`. */
  'pre-extract': { context: contexts.LayerContext; answer: { readonly target?: string } }
  /** The committed directory or image, if it is not the staged one. */
  'post-extract': { context: contexts.PostExtractContext; answer: { readonly target?: string } }
  finish: { context: contexts.FinishContext; answer: Nothing }
  abort: { context: contexts.AbortContext; answer: Nothing }
  'runtime-config': {
    context: contexts.RuntimeConfigContext
    answer: { readonly config?: Readonly<Record<string, Json>> }
  }
  'delta-list': { context: contexts.DeltaListContext; answer: { readonly paths: ChangedPaths } }
  'refresh-bundle': { context: contexts.RefreshBundleContext; answer: Nothing }
  upgraded: { context: contexts.UpgradedContext; answer: Nothing }
  selected: { context: contexts.SelectedContext; answer: Nothing }
  mount: { context: contexts.BundleContext; answer: Nothing }
  umount: { context: contexts.BundleContext; answer: Nothing }
  delete: { context: contexts.BundleContext; answer: Nothing }
  /** Keys of the layers that are gone now, if the hook says so. */
  gc: { context: contexts.GcContext; answer: { readonly removed?: readonly string[] } }
  /** How layers would be stored, in words, on one line. */
  check: { context: contexts.CheckContext; answer: { readonly storage?: string } }
}

type Nothing = Readonly<Record<string, never>>

export type ContextOf<P extends HookPoint> = HookCalls[P]['context']
export type AnswerOf<P extends HookPoint> = HookCalls[P]['answer']

/** A busy hook was asked again until it was ready, and a failure was thrown, so neither is an outcome. */
export type HookOutcome<P extends HookPoint> = Said &
  ({ readonly status: 'yes'; readonly answer: AnswerOf<P> } | { readonly status: 'decline' })

/** The end of what a hook wrote to standard error: a fact of the error, if its answer turns out to be wrong. */
export interface Said {
  readonly stderr?: string | undefined
}

export function said({ stderr }: Said): { stderr?: string } {
  return stderr === undefined ? {} : { stderr }
}

/** How much of the metadata of an image a storage can hold. */
export interface Holds {
  /** Of times. */
  readonly precision: 'nanoseconds' | 'seconds'
  /** The namespaces of extended attributes, such as `user`; undefined for all. */
  readonly xattrs: readonly string[] | undefined
}

export interface HookSet extends Holds {
  /** Shown in logs and errors. */
  readonly name: string
  readonly extract: ExtractMode
  /** The form of whiteouts inside a layer's own directory, if `extract` is `layer`. */
  readonly whiteouts: WhiteoutForm | undefined
  /** Whether layers of rootless unpacks are kept apart from others, so that such an unpack can use the storage. */
  readonly rootless: boolean
  /** `never`: no tree manifest is written, since delta-list is trusted. */
  readonly manifest: 'auto' | 'never'
  /** What to do when delta-list fails. If undefined, the repack fails. */
  readonly deltaFallback: 'mtree' | undefined
  /** The points that have a hook. A call at any other point declines. */
  readonly points: ReadonlySet<HookPoint>
  /** Lives as long as any process that works for these hooks. */
  readonly owner: Owner
  /**
   * Asks the hook and waits for its answer, at most for the point's timeout. Calls may run at the same time. If the
   * promise is rejected, nothing that the hook started in its process group is still running.
   * @throws HOOK_FAILED, HOOK_TIMEOUT, HOOK_ANSWER_INVALID; ABORTED if `signal` is aborted
   */
  call<P extends HookPoint>(
    point: P,
    context: ContextOf<P>,
    signal?: AbortSignal
  ): Promise<HookOutcome<P>>
  /**
   * Ends the processes that wait for further calls. The creator of the set calls this in the end; a second call does
   * nothing.
   */
  close(): Promise<void>
}
