/**
 * The contract of a storage: where layers live between unpacks.
 *
 * The stories open a storage (storages.ts) and never ask what it is made of. A storage says in the values of `NewBundle` how
 * layers are kept (`extraction`), whether bundles of one image may share a tree manifest (`treeManifest`) and, for each
 * layer, where it goes (`Place`). All that is left is behind the functions here.
 *
 * The life of a new bundle, of which each step follows only where those before it went well:
 *
 *     withNewBundle → find → for each missing layer: stage, commit → show → runtimeConfig → (the files are written)
 *                                   any failure → abort
 *
 * - A bundle appears when all of it is there. Where it is made, and what an engine that dies leaves there for the next one to
 *   undo, is the storage's own: the plain one works in a private directory and renames it, hooks work at the final place,
 *   since they mount there, under a mark.
 * - A layer is found or committed as a whole, or it is not there. Layers are known by chain ID, so what lies in a storage that
 *   bundles share depends on nothing but the layers; an unpack that cannot keep to this is refused.
 * - No other process stages the same layer between `find` and `commit`, and none collects between `find` and `show`.
 *
 * A storage is added by a file that implements this and a line in storages.ts; test/engine/storage/contract.test.ts then
 * holds it to its word.
 */
import type { Digest } from '../../image/digest.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { BundleDirectory } from '../bundle/bundle-site.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import type { Origin } from '../bundle/origin.ts'
import type { ChangeSettings } from '../edit/change-options.ts'
import type { Job } from '../extract/job.ts'
import type { LayerPlaces } from '../extract/layer-places.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'

export interface LayerStorage {
  /** As messages name it, after "made by": `no hooks`, `the hooks "x"`. */
  readonly title: string
  /** Whether it made the bundle of which this is the record; undefined for one without a record. */
  made(origin: Origin | undefined): boolean

  /**
   * Runs `act` with the place of a new bundle, which appears when `act` has ended well. What a process that died has left
   * there is undone before. Where `act` fails nothing is left, and what was there before is untouched.
   * @throws BUNDLE_EXISTS, BUNDLE_INVALID; USAGE for options that its layers must not depend on
   */
  withNewBundle(job: Job, act: (bundle: NewBundle) => Promise<void>): Promise<void>

  /**
   * The paths that have changed in a bundle since it was unpacked; more of them do no harm. Undefined where only a look at
   * everything can tell.
   */
  changed(made: MadeBundle): Promise<ChangedPaths | undefined>
  /** The bundle is one of another image now: what the storage knows of it is brought up to date. */
  refresh(made: MadeBundle, before: ResolvedImage): Promise<void>

  /**
   * Takes away what was made for a bundle, then calls `removeFiles`. May be called again where that failed half way. Layers
   * stay. @throws BUNDLE_EXISTS while the bundle is being made
   */
  remove(bundle: BundleDirectory, removeFiles: () => void, signal?: AbortSignal): Promise<void>
  /**
   * Removes all layers but those whose chain IDs `liveKeys` gives, which is asked when no unpack is under way.
   * @throws HOOKS_INVALID where layers cannot be removed; what `liveKeys` throws, with nothing removed
   */
  collect(liveKeys: () => Promise<readonly Digest[]>, signal?: AbortSignal): Promise<Collected>
  /** Nothing more is asked; twice is once. */
  close(): Promise<void>
}

/** A bundle that is being made. The files beside the root file system are written by way of `fd` and `path`. */
export interface NewBundle extends LayerPlaces {
  /** Descriptor of its directory, and a path that leads through it. */
  readonly fd: number
  readonly path: string
  /** Where the bundle is when it is complete: absolute. */
  readonly destination: string
  readonly treeManifest: TreeManifest

  /**
   * The layers that have to be extracted, base first; undefined where nothing has to be, since the root file system can
   * be shown.
   */
  find(): Promise<readonly number[] | undefined>
  /** All layers are there: makes the root file system of the bundle, in `rootfs`. */
  show(): Promise<void>
  /** The config.json to write, given the one that was made. */
  runtimeConfig(made: string): Promise<string | Uint8Array>
  /** Undoes what was staged and never committed, and what was shown. What it cannot undo the next unpack tries again. */
  abort(): Promise<void>
}

/** Whether a bundle gets a tree manifest and fingerprints, and where from. */
export type TreeManifest =
  /** None: the storage tells what has changed. */
  | { kind: 'none' }
  /** Its own. */
  | { kind: 'own' }
  /** That of the layers below this chain ID, which is the same in all bundles of this storage. */
  | { kind: 'shared'; storage: string; chainId: string }

/** A bundle that a storage made, as a repack has it. */
export interface MadeBundle {
  bundle: OpenBundle
  /** The image that it is of. */
  image: ResolvedImage
  /** Absolute path of the layout. */
  layout: string
  settings: ChangeSettings
}

export interface Collected {
  /** Name of the hook set. */
  hooks: string
  /** Chain IDs of all layers that were to stay. */
  liveKeys: readonly string[]
}
