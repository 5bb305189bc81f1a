/**
 * What a hook is told. Functions get these objects as they are. Programs get them as JSON and, flattened, in their
 * environment (environment.ts). Paths are absolute, digests are `algorithm:hex`.
 */
import type { Digest } from '../image/digest.ts'
import type { Json } from '../image/json.ts'
import type { ImageConfig, ImageManifest } from '../image/types.ts'
import type { IdMapping } from '../plan/id-map.ts'

/** The bundle that the call is about. */
export interface BundleContext {
  readonly bundle: string
  /** Does not exist before the `finish` call that makes it, but its parent does. */
  readonly rootfs: string
  /** A private directory for the hook's own files, removed with the bundle. */
  readonly state: string
}

/** The bundle and the image that it comes from. */
export interface ImageContext extends BundleContext {
  readonly rootless: boolean
  /** An empty list means identity. */
  readonly uidMap: readonly IdMapping[]
  readonly gidMap: readonly IdMapping[]
  readonly layout: string
  /** The image's tag in its layout. */
  readonly reference: string
  /** `os/arch[/variant]` */
  readonly platform: string
  readonly manifestDigest: Digest
  readonly configDigest: Digest
  readonly layerCount: number
  /** Bytes of the tars of all layers; only while the image is unpacked. */
  readonly imageUnpackedSize?: number
  readonly imageUnpackedSizeIs?: 'exactly' | 'at least'
  readonly manifest: ImageManifest
  readonly config: ImageConfig
}

/** One layer. Hooks store it under its chain ID, because what a layer leaves on disk depends on the layers below it. */
export interface HookLayer {
  /** From 0, base layer first. */
  readonly index: number
  /** Of the compressed blob. */
  readonly digest: Digest
  readonly mediaType: string
  /** In bytes, compressed. */
  readonly size: number
  /** Bytes of its tar; undefined if unknown before it is read. */
  readonly unpackedSize?: number
  /** Whether `unpackedSize` is all of it. */
  readonly unpackedSizeIs?: 'exactly' | 'at least'
  readonly diffId: Digest
  readonly chainId: Digest
  /** Undefined for the base layer. */
  readonly parentChainId?: Digest
}

export interface PrepareContext extends ImageContext {
  /** Base layer first. */
  readonly layers: readonly HookLayer[]
}

export interface LayerContext extends ImageContext, HookLayer {}

export interface MergeContext extends ImageContext {
  /** Of the top layer: it decides what the image that joins all layers contains. */
  readonly chainId: Digest
  /** Of the layer below; undefined if there is only one. */
  readonly parentChainId?: Digest
}

export interface PostExtractContext extends LayerContext {
  /** The staged directory or image that pre-extract gave; undefined if the engine itself extracts (`rootfs`). */
  readonly target?: string
}

export interface FinishContext extends ImageContext {
  /** Base layer first, each with its committed directory or image; without these with `rootfs`. */
  readonly layers: readonly (HookLayer & { readonly target?: string })[]
  /** With `image`: the image that joins them, at the path that merge gave; undefined for an image without layers. */
  readonly merged?: string
}

export interface AbortContext extends ImageContext {
  /** What pre-extract gave and was not committed. */
  readonly targets: readonly string[]
}

export interface RuntimeConfigContext extends ImageContext {
  /** The new config.json (runtime-spec config.md). */
  readonly runtimeConfig: Readonly<Record<string, Json>>
}

export interface DeltaListContext extends ImageContext {
  /** Of the image's top layer, the state that changes are relative to. Undefined for an image without layers. */
  readonly chainId?: Digest
  /** Whether refresh-bundle is called once what is listed was packed. */
  readonly refresh: boolean
}

export interface RefreshBundleContext extends ImageContext {
  /** Of the new image's top layer. */
  readonly chainId?: Digest
  /** Of the top layer that the bundle was unpacked from, if the repack added a layer. */
  readonly parentChainId?: Digest
}

export interface UpgradedContext extends ImageContext {
  /** The bundle whose local changes the new one has; it need not be one of these hooks. */
  readonly oldBundle: string
  readonly oldRootfs: string
  readonly oldManifestDigest: Digest
}

export interface SelectedContext extends BundleContext {
  readonly manifestDigest: Digest
  /** The symbolic link that leads to the bundle. */
  readonly link: string
  /** The bundle that was in use before, if there was another one. It need not exist any more. */
  readonly oldBundle?: string
  readonly oldRootfs?: string
  /** Undefined also if the bundle does not exist any more, or is broken. */
  readonly oldManifestDigest?: Digest
}

export interface GcContext {
  /** Chain IDs that some image or bundle still needs. */
  readonly liveKeys: readonly Digest[]
}

/** Nothing: what is checked is the storage alone. */
export type CheckContext = Readonly<Record<string, never>>
