/**
 * The options of all operations that add to an image: how the layer is packed, what the history says, where the result
 * goes.
 */
import { availableParallelism } from 'node:os'
import { OciUnpackError } from '../../errors.ts'
import type { Compression } from '../../image/media-types.ts'
import type { RegistrySettings } from '../../registry/registry.ts'
import type { ImageName } from '../../transports/list.ts'
import type { HistoryOptions } from './history.ts'
import type { OnEvent } from '../operation/events.ts'

export type CompressOption = 'auto' | Compression

export interface ChangeOptions {
  /** `PATH[:TAG]` of an OCI layout. To change an existing image under a new tag, also `PATH@DIGEST`. */
  image: string
  /** `auto` (the default) compresses like the topmost compressed layer, or else with gzip. */
  compress?: CompressOption
  /** 1…9 for gzip, 1…19 for zstd. */
  level?: number
  /** How many processors compress; default all. The bytes do not depend on it. */
  jobs?: number
  /** `false` for no history entry. */
  history?: HistoryOptions | false
  /** SOURCE_DATE_EPOCH, in seconds: no modification time in the layer is later. */
  sourceDateEpoch?: number
  /** Whether modification times in the layer are whole seconds (as in umoci) or exact; default `nanoseconds`. */
  timePrecision?: 'seconds' | 'nanoseconds'
  /** How a registry is reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  signal?: AbortSignal
  onEvent?: OnEvent
}

export interface ChangeSettings {
  reference: ImageName
  compress: CompressOption
  level: number | undefined
  jobs: number
  history: HistoryOptions | false
  epoch: number | undefined
  timePrecision: 'seconds' | 'nanoseconds'
  registry: RegistrySettings | undefined
  signal: AbortSignal | undefined
  onEvent: OnEvent
}

export interface ChangeResult {
  /** Digest of the new image manifest. */
  manifestDigest: string
  /** The layer that was added; undefined if nothing had changed. */
  layer: { digest: string; diffId: string; size: number; uncompressedSize: number } | undefined
}

/** @throws USAGE */
export function normalizeChange(options: ChangeOptions, reference: ImageName): ChangeSettings {
  return {
    reference,
    compress: options.compress ?? 'auto',
    level: options.level,
    jobs: jobCount(options.jobs),
    history: options.history ?? {},
    epoch: datable(options.sourceDateEpoch),
    timePrecision: options.timePrecision ?? 'nanoseconds',
    registry: options.registry,
    signal: options.signal,
    onEvent: options.onEvent ?? (() => undefined)
  }
}

/** RFC 3339 has four digits for the year. @throws USAGE for a time outside the years 0 to 9999 */
function datable(epoch: number | undefined): number | undefined {
  if (epoch === undefined) return undefined
  if (Number.isSafeInteger(epoch) && epoch >= -62_167_219_200 && epoch < 253_402_300_800)
    return epoch
  throw new OciUnpackError('USAGE', 'The source date epoch is not within the years 0 to 9999.', {
    facts: { found: epoch }
  })
}

/** How many threads; default one for each processor. @throws USAGE */
export function jobCount(jobs: number = availableParallelism()): number {
  if (Number.isSafeInteger(jobs) && jobs >= 0) return Math.max(1, jobs)
  throw new OciUnpackError('USAGE', 'The option jobs must be a whole number of 0 or more.', {
    facts: { found: jobs }
  })
}
