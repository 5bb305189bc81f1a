/** What all operations share that add to an image: how the layer is packed, what history says, where the result goes. */
import { availableParallelism } from 'node:os'
import { OciUnpackError } from '../errors.ts'
import { parseReference, type Reference } from '../image/reference.ts'
import type { Compression } from '../image/media-types.ts'
import type { HistoryOptions } from './history.ts'
import type { OnEvent } from './events.ts'

export type CompressOption = 'auto' | Compression

export interface ChangeOptions {
  /** `PATH[:TAG]` of an OCI layout. */
  image: string
  /** `auto` (the default) packs as the topmost packed layer is, else with gzip. */
  compress?: CompressOption
  /** 1…9 for gzip, 1…19 for zstd. */
  level?: number
  /** Processors that compress; default all. The bytes do not depend on it. */
  jobs?: number
  /** `false` for no history entry. */
  history?: HistoryOptions | false
  /** SOURCE_DATE_EPOCH, in seconds: no modification time in the layer is later. */
  sourceDateEpoch?: number
  /** Modification times in the layer to the second (as umoci) or exact; default `nanoseconds`. */
  timePrecision?: 'seconds' | 'nanoseconds'
  signal?: AbortSignal
  onEvent?: OnEvent
}

export interface ChangeSettings {
  reference: Reference
  compress: CompressOption
  level: number | undefined
  jobs: number
  history: HistoryOptions | false
  epoch: number | undefined
  timePrecision: 'seconds' | 'nanoseconds'
  signal: AbortSignal | undefined
  onEvent: OnEvent
}

export interface ChangeResult {
  /** Digest of the new image manifest. */
  manifestDigest: string
  /** The layer that was added; undefined where nothing had changed. */
  layer: { digest: string; diffId: string; size: number; uncompressedSize: number } | undefined
}

/** @throws USAGE, REFERENCE_INVALID */
export function normalizeChange(options: ChangeOptions): ChangeSettings {
  return {
    reference: parseReference(options.image),
    compress: options.compress ?? 'auto',
    level: options.level,
    jobs: jobCount(options.jobs),
    history: options.history ?? {},
    epoch: options.sourceDateEpoch,
    timePrecision: options.timePrecision ?? 'nanoseconds',
    signal: options.signal,
    onEvent: options.onEvent ?? (() => undefined)
  }
}

/** How many threads; default one for each processor. @throws USAGE */
export function jobCount(jobs: number = availableParallelism()): number {
  if (Number.isSafeInteger(jobs) && jobs >= 0) return Math.max(1, jobs)
  throw new OciUnpackError('USAGE', 'The option jobs must be a whole number of 0 or more.', {
    facts: { found: jobs }
  })
}
