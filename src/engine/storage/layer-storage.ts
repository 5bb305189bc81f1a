/**
 * The contract of a storage: where layers live between unpacks.
 *
 * The stories open a storage (storages.ts) and never ask what kind it is. In the values of `NewBundle`, a storage says
 * how layers are kept (`extraction`), whether bundles of one image may share a tree manifest (`treeManifest`) and where
 * each layer goes (`Place`). Everything else is behind the functions here.
 *
 * The life of a new bundle. Each step follows only if those before it succeeded:
 *
 *     withNewBundle → find → for each missing layer: stage, commit → show → runtimeConfig → (the files are written)
 *                                   any failure → abort
 *
 * - A bundle appears only when it is complete. Where it is made, and what an engine that dies leaves for the next one
 *   to undo, is up to the storage: the plain one works in a private directory and renames it; hooks work at the final
 *   place, under a mark, because they mount there.
 * - A layer is found or committed as a whole, or does not exist. Layers are identified by chain ID, so the content of a
 *   storage that bundles share must depend only on the layers; an unpack with options that break this rule is refused.
 * - No other process stages the same layer between `find` and `commit`, and none collects between `find` and `show`.
 *
 * To add a storage, write a file that implements this and add a line to storages.ts;
 * test/engine/storage/contract.long.test.ts then checks that it keeps the contract.
 */
import type { Digest } from '../../image/digest.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { BundleDirectory } from '../bundle/bundle-site.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import type { Origin } from '../bundle/origin.ts'
import type { ChangeSettings } from '../edit/change-options.ts'
import type { Job } from '../extract/job.ts'
import type { LayerPlaces } from '../extract/layer-places.ts'
import type { CachedManifest } from './tree-manifest-cache.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'

export interface LayerStorage {
  /** Its name in messages, after "made by": `no hooks`, `the hooks "x"`. */
  readonly title: string
  /** Whether it made the bundle with this record; undefined stands for a bundle without a record. */
  made(origin: Origin | undefined): boolean

  /**
   * Runs `act` with the place of a new bundle, which appears when `act` has succeeded. What a dead process left there
   * is undone first. If `act` fails, nothing is left, and what was there before is untouched.
   * @throws BUNDLE_EXISTS, BUNDLE_INVALID; USAGE for options that its layers must not depend on
   */
  withNewBundle(job: Job, act: (bundle: NewBundle) => Promise<void>): Promise<void>

  /**
   * The paths that have changed in a bundle since it was unpacked; additional paths do no harm. Undefined if only
   * looking at the whole tree can tell.
   */
  changed(made: MadeBundle): Promise<ChangedPaths | undefined>
  /** Updates what the storage knows of a bundle that now belongs to another image. */
  refresh(made: MadeBundle, before: ResolvedImage): Promise<void>

  /**
   * Makes the root file system of a bundle appear again, for example after a reboot, with all that was in it. Does
   * nothing if it is there. If this fails, nothing is shown that was not shown before.
   * @throws HOOKS_INVALID if the storage cannot do this; BUNDLE_EXISTS while the bundle is being made
   */
  mount(bundle: BundleDirectory, signal?: AbortSignal): Promise<void>
  /**
   * Makes it disappear until `mount`, if it is mounted. May be called again. @throws what `mount` throws; BUNDLE_BUSY
   */
  umount(bundle: BundleDirectory, signal?: AbortSignal): Promise<void>

  /**
   * Runs `act`, which changes which bundle of a directory is in use, and tells of it. Nobody else does so there meanwhile.
   * @param directory a name for the directory that is the same for all processes
   */
  whileSelecting<T>(
    directory: string,
    act: (tell: (selected: Selected) => Promise<void>) => Promise<T>,
    signal?: AbortSignal
  ): Promise<T>

  /**
   * Removes what was made for a bundle, then calls `removeFiles`. May be called again if it failed halfway. Layers
   * stay. @throws BUNDLE_EXISTS while the bundle is being made
   */
  remove(bundle: BundleDirectory, removeFiles: () => void, signal?: AbortSignal): Promise<void>
  /**
   * Removes all layers except those whose chain IDs `liveKeys` returns; it is called while no unpack is running.
   * @throws HOOKS_INVALID if layers cannot be removed; what `liveKeys` throws, with nothing removed
   */
  collect(liveKeys: () => Promise<readonly Digest[]>, signal?: AbortSignal): Promise<Collected>
  /** Ends the use of the storage; calling it twice does no harm. */
  close(): Promise<void>
}

/** A bundle that is being made. The files beside the root file system are written through `fd` and `path`. */
export interface NewBundle extends LayerPlaces {
  /** Descriptor of its directory, and a path that leads through it. */
  readonly fd: number
  readonly path: string
  /** Absolute path of the finished bundle. */
  readonly destination: string
  readonly treeManifest: TreeManifest

  /**
   * The layers that must be extracted, base first; undefined if none, because the root file system can already be
   * shown. An empty list means that only what joins them must be made.
   */
  find(): Promise<readonly number[] | undefined>
  /** Makes the root file system of the bundle, in `rootfs`, once all layers exist. */
  show(): Promise<void>
  /** The config.json to write, based on the one that was generated. */
  runtimeConfig(made: string): Promise<string | Uint8Array>
  /** Tells that the bundle, which has all its files now, has the local changes of another one. */
  upgraded(from: UpgradedFrom): Promise<void>
  /** Undoes what was shown, and what was staged but not committed. The next unpack retries what could not be undone. */
  abort(): Promise<void>
}

/** The bundle that an upgrade began with. */
export interface UpgradedFrom {
  /** Absolute. */
  bundle: string
  /** Of the manifest of its image. */
  manifestDigest: Digest
}

/** A bundle that is now the one in use. */
export interface Selected extends UpgradedFrom {
  /** Absolute path of the symbolic link that leads to it. */
  link: string
  /** The one that was in use before; its digest is undefined if it does not exist any more. */
  old: { bundle: string; manifestDigest: Digest | undefined } | undefined
}

/** Whether a bundle gets a tree manifest and fingerprints, and from where. */
export type TreeManifest =
  /** None: the storage itself reports what has changed. */
  | { kind: 'none' }
  /** Its own. */
  | { kind: 'own' }
  /** The one for these layers, which is the same in all bundles of this storage. */
  | ({ kind: 'shared' } & CachedManifest)

/** A bundle that a storage made, as a repack knows it. */
export interface MadeBundle {
  bundle: OpenBundle
  /** The image that it was made from. */
  image: ResolvedImage
  /** Absolute path of the layout. */
  layout: string
  settings: ChangeSettings
  /** Whether it is going to be refreshed, once its changes were packed. */
  willRefresh?: boolean
}

export interface Collected {
  /** Name of the hook set. */
  hooks: string
  /** Chain IDs of all layers that were to be kept. */
  liveKeys: readonly string[]
  /** Chain IDs of the layers that were removed, if the hooks said so. */
  removed?: readonly string[]
}
