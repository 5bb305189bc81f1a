/** Hooks as functions, for users of the library. */
import type { Json } from '../image/json.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import type { ExtractMode, Holds } from './calls.ts'
import type * as contexts from './contexts.ts'

/**
 * Hooks as functions. Each gets the facts of the call and may take as long as `timeout` says. "decline" tells the
 * engine to do the work itself, "busy" to ask again in a moment, and no answer means that the work is done. A thrown
 * error is a failure and ends the operation. Targets are absolute paths.
 */
export interface UnpackHooks {
  /** Shown in errors; default `functions`. */
  name?: string
  /** Default `rootfs`. All others require trySkip, preExtract, postExtract and finish; `image` also merge. */
  extract?: ExtractMode
  /** Only with `layer`; default `overlay`. */
  whiteouts?: WhiteoutForm
  /** Default `auto`. */
  manifest?: 'auto' | 'never'
  /** The precision of times that the storage can hold; default `nanoseconds`. */
  precision?: Holds['precision']
  /** The namespaces of extended attributes that it can hold, such as `user`; default all. */
  xattrs?: readonly string[]
  /** Layers of rootless unpacks are kept apart from others (`rootless` of the context says which); default false. */
  rootless?: boolean
  /** Milliseconds for a call, including the time while it is busy; default 60,000. */
  timeout?: number

  /** Called once, before any layer: checks the storage. May answer trySkip for layers, by chain ID. */
  prepare?(context: contexts.PrepareContext, call: FunctionCall): Reply<PrepareReply>
  /** "skip" (with a target, except with `rootfs`) means that this layer is committed and need not be read. */
  trySkip?(layer: contexts.LayerContext, call: FunctionCall): Promise<SkipReply> | SkipReply
  /** Only with `image`: returns the path of the image that joins all layers. The engine makes it if it is not there. */
  merge?(context: contexts.MergeContext, call: FunctionCall): Reply<Target>
  /**
   * Returns the directory to write the layer to (empty for `layer`, the parent's state for `chain`); for `image` the path
   * of a file that does not exist.
   */
  preExtract?(layer: contexts.LayerContext, call: FunctionCall): Reply<Target>
  /** The layer is written and verified: commit it. May return its new path. */
  postExtract?(layer: contexts.PostExtractContext, call: FunctionCall): Reply<Target>
  /** All layers are present: make the root file system. */
  finish?(context: contexts.FinishContext, call: FunctionCall): Reply
  /** Something failed: undo whatever preExtract made and was not committed. May be called twice. */
  abort?(context: contexts.AbortContext, call: FunctionCall): Reply
  /** May return a config.json to use instead. */
  runtimeConfig?(
    context: contexts.RuntimeConfigContext,
    call: FunctionCall
  ): Reply<{ config?: Readonly<Record<string, Json>> }>
  /** Paths relative to the root file system, as text or bytes; one ending in `/` stands for the whole tree. */
  deltaList?(
    context: contexts.DeltaListContext,
    call: FunctionCall
  ): Promise<DeltaReply> | DeltaReply
  /** The image has a new layer: make the root file system look as if it had been unpacked from it. */
  refreshBundle?(context: contexts.RefreshBundleContext, call: FunctionCall): Reply
  /**
   * The bundle has the tree of the new image, with the local changes of the old bundle, and nobody sees it yet. May
   * change the tree, but not the old bundle. If this fails, the bundle is undone.
   */
  upgraded?(context: contexts.UpgradedContext, call: FunctionCall): Reply
  /**
   * Another bundle of a directory is the one in use now: the link leads to it. If this fails, the link leads to the old one
   * again. May be called again for the same bundle.
   */
  selected?(context: contexts.SelectedContext, call: FunctionCall): Reply
  /** Show the root file system again, as it was when it was last shown. Called for one that is shown, too. */
  mount?(context: contexts.BundleContext, call: FunctionCall): Reply
  /** Stop showing the root file system, and keep what it contains. May be called twice. */
  umount?(context: contexts.BundleContext, call: FunctionCall): Reply
  /** Remove everything that belongs to the bundle. May be called twice. */
  delete?(context: contexts.BundleContext, call: FunctionCall): Reply
  /** Remove committed layers that are not live. May return the keys of those that it has removed. */
  gc?(context: contexts.GcContext, call: FunctionCall): Reply<{ removed?: readonly string[] }>
  /** Changes nothing. May return a line that says how layers would be stored; throws if they could not be. */
  check?(context: contexts.CheckContext, call: FunctionCall): Reply<{ storage?: string }>
}

export interface FunctionCall {
  /** Aborted when the answer is no longer needed: the time is up, or the operation was stopped. */
  readonly signal: AbortSignal
  /**
   * Pass this to every process that the function starts and that may outlive this one. While it is open anywhere, no
   * other operation works on the same bundle and layers.
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
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- TypeScript before 5.1 tells void and undefined apart
type Reply<T = never> = Answer<T> | Promise<Answer<T>> | void | Promise<void>
