/** The options that callers may give, and what they mean: defaults are applied only here. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { OciUnpackError } from '../../errors.ts'
import { probeDecompressors, type DecompressorChoice } from '../../codec/choice.ts'
import { parsePlatform } from '../../image/platform.ts'
import type { Platform } from '../../image/types.ts'
import type { IdMapping } from '../../plan/id-map.ts'
import { MAX_PATH_BYTES } from '../../plan/names.ts'
import type { PlainChoice } from '../../plan/policy/overlay.ts'
import type { RegistrySettings } from '../../registry/registry.ts'
import type { LayoutOptions } from '../../store/layout.ts'
import { parseImageName } from '../../transports/image-name.ts'
import type { ImageName } from '../../transports/list.ts'
import type { Pool } from '../../worker/pool.ts'
import type { LayerLimits } from '../../worker/read-layer.ts'
import type { OnEvent } from '../operation/events.ts'
import type { HooksOption } from '../operation/open-hooks.ts'
import { warningTo } from '../operation/warnings.ts'
import { choosePolicy } from './rootless.ts'

/** Limits on what an image may cost; the defaults are far above what real images need. */
export interface UnpackLimits {
  /** Entries in all layers. Default 10,000,000. */
  entries?: number
  /** Bytes of tar, and of holes that are hashed, in all layers. Default 1 TiB. */
  unpackedBytes?: number
  /**
   * Bytes of tar, and of holes that are hashed, for each compressed byte of a layer. Default 1100, for more than 4 GiB
   * of data or 128 GiB of zeros and holes.
   */
  ratio?: number
  /** Bytes of a path. Default and maximum 4095. */
  pathBytes?: number
  /** Bytes of one JSON document. Default 4 MiB. */
  jsonBytes?: number
  /** Bytes of one PAX header. Default 1 MiB. */
  paxBytes?: number
}

export interface UnpackOptions {
  /** `[TRANSPORT:]PATH[:TAG]`, see docs/transports.md. */
  image: string
  /** Directory of the bundle, or of the root file system for `unpackRootfs`. */
  destination: string
  /** `os/arch[/variant]` in Go's names; default the host's. */
  platform?: string
  /** How many layers are read at once; default the number of processors. 0 starts no threads. */
  jobs?: number
  /** Which program inflates: `auto` (the fastest found), `none` (in this process), a name or a path. */
  decompressor?: string
  /** Keep a symbolic link that leads to a directory where a layer has a directory (umoci's option). */
  keepDirlinks?: boolean
  uidMap?: readonly IdMapping[]
  gidMap?: readonly IdMapping[]
  /**
   * Needs no privileges: everything belongs to the user who unpacks, owners are kept in the attribute
   * `user.rootlesscontainers`, devices are empty files (docs/rootless.md). Maps are then only recorded for the runtime;
   * missing (or empty) ones map 0 to the id of this process.
   */
  rootless?: boolean
  limits?: UnpackLimits
  /** How registries are reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  /**
   * `PATH[:TAG]` of a layout that gets the blobs of the image first, and keeps them; default tag that of the image. Those
   * that it has are not fetched again.
   */
  layout?: string
  /**
   * `full` (default): the tree manifest of the bundle states the SHA-256 of every file, which umoci needs, too. `lazy`: no
   * file is hashed, and a repack takes the digests that it needs from the layers of the image (docs/repack.md).
   * `unpackRootfs` does not write a tree manifest.
   */
  manifest?: 'full' | 'lazy'
  /**
   * Functions, or a file that names programs, that decide where layers are stored; default: in the bundle, as plain
   * files.
   */
  hooks?: HooksOption
  /** Stops the operation: it rejects with ABORTED and leaves nothing behind. */
  signal?: AbortSignal
  onEvent?: OnEvent
}

/** The options of every operation that reads the layers of an image. */
export type ImageOptions = Omit<
  UnpackOptions,
  'destination' | 'uidMap' | 'gidMap' | 'rootless' | 'layout' | 'manifest' | 'hooks'
>

export interface UnpackSettings extends ImageSettings {
  destination: string
  /** Whether the tree manifest is to state no digests. */
  isLazy: boolean
  hooks: HooksOption | undefined
}

export interface ImageSettings {
  reference: ImageName
  platform: Platform | undefined
  jobs: number
  decompressor: DecompressorChoice
  keepDirlinks: boolean
  policy: PlainChoice
  limits: LayerLimits
  pathBytes: number
  layoutOptions: Pick<LayoutOptions, 'maxDocumentSize'>
  registry?: RegistrySettings | undefined
  signal: AbortSignal | undefined
  onEvent: OnEvent
  /** Threads that stay for several steps of an operation. */
  pool?: Pool | undefined
}

const TIB = 2 ** 40

/** @throws USAGE, REFERENCE_INVALID, DECOMPRESSOR_UNAVAILABLE */
export function normalizeUnpack(options: UnpackOptions): UnpackSettings {
  const destination = resolve(notEmpty(options.destination))
  const policy = choosePolicy(options)
  const isLazy = isLazyManifest(options.manifest)
  return { ...normalizeImage(options), policy, destination, isLazy, hooks: options.hooks }
}

/** @throws USAGE, REFERENCE_INVALID, DECOMPRESSOR_UNAVAILABLE */
export function normalizeImage(options: ImageOptions): ImageSettings {
  assertCallbacks(options)
  return {
    reference: parseImageName(options.image, warningTo(options.onEvent)),
    platform: options.platform === undefined ? undefined : parsePlatform(options.platform),
    jobs: count('jobs', options.jobs ?? availableParallelism()),
    decompressor: probeDecompressors(options.decompressor ?? 'auto', process.env),
    keepDirlinks: options.keepDirlinks ?? false,
    policy: { kind: 'exact', uidMap: [], gidMap: [] },
    ...normalizeLimits(options.limits),
    registry: options.registry,
    signal: options.signal,
    onEvent: options.onEvent ?? (() => undefined)
  }
}

/** @throws USAGE */
export function normalizeLimits(
  limits: UnpackLimits = {}
): Pick<ImageSettings, 'limits' | 'pathBytes' | 'layoutOptions'> {
  return {
    limits: {
      entries: count('limits.entries', limits.entries ?? 10_000_000),
      unpackedBytes: count('limits.unpackedBytes', limits.unpackedBytes ?? TIB),
      ratio: limits.ratio === undefined ? undefined : count('limits.ratio', limits.ratio),
      tar:
        limits.paxBytes === undefined ? {} : { paxBytes: count('limits.paxBytes', limits.paxBytes) }
    },
    pathBytes: Math.min(
      MAX_PATH_BYTES,
      count('limits.pathBytes', limits.pathBytes ?? MAX_PATH_BYTES)
    ),
    layoutOptions:
      limits.jsonBytes === undefined
        ? {}
        : { maxDocumentSize: count('limits.jsonBytes', limits.jsonBytes) }
  }
}

/** JavaScript callers may give anything. @throws USAGE */
function assertCallbacks({ signal, onEvent }: Pick<ImageOptions, 'signal' | 'onEvent'>): void {
  if (signal !== undefined && !('addEventListener' in signal))
    throw new OciUnpackError('USAGE', 'The option signal must be an AbortSignal.')
  if (onEvent !== undefined && typeof (onEvent as unknown) !== 'function')
    throw new OciUnpackError('USAGE', 'The option onEvent must be a function.')
}

/** @throws USAGE */
function isLazyManifest(manifest: string = 'full'): boolean {
  if (manifest === 'full' || manifest === 'lazy') return manifest === 'lazy'
  throw new OciUnpackError('USAGE', 'The option manifest must be full or lazy.', {
    facts: { found: manifest }
  })
}

function notEmpty(path: string): string {
  if (path !== '') return path
  throw new OciUnpackError('USAGE', 'The path of the destination is empty.')
}

/** Checks that an option is a whole number of 0 or more. @throws USAGE */
export function count(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new OciUnpackError('USAGE', `The option ${name} must be a whole number of 0 or more.`, {
    facts: { found: value }
  })
}
