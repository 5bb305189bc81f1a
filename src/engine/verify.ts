/** Checks whether images are intact: every blob, every document, every diff ID. Nothing is written. */
import { availableParallelism } from 'node:os'
import { probeDecompressors } from '../codec/choice.ts'
import { OciUnpackError, type ErrorCode, type Facts } from '../errors.ts'
import { digestAlgorithm, type Digest } from '../image/digest.ts'
import type { Descriptor } from '../image/types.ts'
import { findEntry } from '../store/find-entry.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { BlobRole } from '../store/blob-role.ts'
import { reachableBlobs, type ReachableBlob } from '../store/reachable.ts'
import { parseImageName, parsePlace } from '../transports/image-name.ts'
import type { BlobOutcome, CheckedBlob } from '../transports/transport.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { checkBlobs, type CheckSettings } from './transfer/check-blobs.ts'
import { diffIdMismatch } from '../store/blob-errors.ts'
import { withSource } from './transfer/with-source.ts'
import { count } from './extract/unpack-options.ts'
import type { OnEvent } from './operation/events.ts'
import { warningTo } from './operation/warnings.ts'
import { requireOptions } from './operation/required-options.ts'

export interface VerifyOptions {
  /** `[TRANSPORT:]PATH[:TAG]`: one image, for all platforms. Give this or `layout`. */
  image?: string
  /** `[TRANSPORT:]PATH`: all images there. */
  layout?: string
  /** How many blobs are read at once; default the number of processors. 0 starts no threads. */
  jobs?: number
  /** As for `unpack`. */
  decompressor?: string
  signal?: AbortSignal
  /** Gets warnings about names and documents. */
  onEvent?: OnEvent
}

/**
 * `absent`: does not exist, but need not (a platform of an index, a subject, a layer that is not distributable).
 * `missing`: needed, but does not exist. `damaged`: exists, but has the wrong content.
 */
export type BlobStatus = 'ok' | 'absent' | 'missing' | 'damaged'

export interface BlobReport {
  digest: string
  /** Bytes, according to the descriptor. */
  size: number
  mediaType: string
  role: BlobRole
  status: BlobStatus
  /** What is wrong, unless the status is `ok`. */
  error?: { code: ErrorCode; message: string; facts: Facts; hint?: string }
}

export interface VerifyResult {
  /** Whether nothing is missing or damaged. */
  ok: boolean
  blobs: readonly BlobReport[]
}

/**
 * Reads every blob that an image, or all images of a layout or archive, lead to, each once. Faults of blobs are in the
 * result; it throws if there is nothing to verify.
 * @throws USAGE, REFERENCE_INVALID, LAYOUT_INVALID, ARCHIVE_INVALID, TAG_*, DOCUMENT_INVALID, ABORTED
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  requireOptions(options, {})
  const text = chosen(options)
  return asked({ image: text }, () => {
    const settings = checkSettings(options)
    throwIfAborted(options.signal)
    const { signal, onEvent } = options
    return options.image === undefined
      ? withSource(parsePlace(text), { signal, onEvent }, (source) =>
          verifyRoots(source, source.readIndex().manifests, settings)
        )
      : withSource(parseImageName(text, warningTo(onEvent)), { signal, onEvent }, (source, tag) =>
          verifyRoots(source, [findEntry(source, tag)], settings)
        )
  })
}

async function verifyRoots(
  source: ImageSource,
  roots: readonly Descriptor[],
  settings: CheckSettings
): Promise<VerifyResult> {
  const blobs = reachableBlobs(source, roots)
  const contents = blobs.filter(({ role }) => role === 'layer' || role === 'other')
  const outcomes = await checkBlobs(source, contents, settings)
  const faults = new Map(contents.map((blob, at) => [blob, faultOf(blob, outcomes[at]!)]))
  const reports = blobs.map((blob) => report(blob, blob.fault ?? faults.get(blob)))
  return {
    ok: reports.every(({ status }) => status === 'ok' || status === 'absent'),
    blobs: reports
  }
}

/** The settings of all operations that read blobs without unpacking them. @throws USAGE, DECOMPRESSOR_UNAVAILABLE */
export function checkSettings(
  options: Pick<VerifyOptions, 'jobs' | 'decompressor' | 'signal'>
): CheckSettings {
  return {
    jobs: count('jobs', options.jobs ?? availableParallelism()),
    decompressor: probeDecompressors(options.decompressor ?? 'auto', process.env),
    signal: options.signal
  }
}

function chosen({ image, layout }: VerifyOptions): string {
  if (image !== undefined && layout === undefined) return image
  if (image === undefined && layout !== undefined) return layout
  throw new OciUnpackError('USAGE', 'Give either an image or a layout.')
}

function faultOf(blob: ReachableBlob, outcome: BlobOutcome): OciUnpackError | undefined {
  if (outcome.status === 'fulfilled') return wrongDiffId(blob, outcome.value)
  if (outcome.reason instanceof OciUnpackError) return outcome.reason
  throw outcome.reason
}

function wrongDiffId(
  { diffIds }: ReachableBlob,
  { diffIds: found }: CheckedBlob
): OciUnpackError | undefined {
  const wrong = [...diffIds].find((diffId) => !found.includes(diffId))
  return wrong === undefined ? undefined : diffIdMismatch(wrong, ofAlgorithm(found, wrong))
}

function ofAlgorithm(found: readonly string[], like: Digest): string {
  const algorithm = digestAlgorithm(like)
  return found.find((diffId) => diffId.startsWith(`${algorithm}:`)) ?? 'none'
}

function report(
  { descriptor, role, optional }: ReachableBlob,
  fault: OciUnpackError | undefined
): BlobReport {
  const { digest, size, mediaType } = descriptor
  const about = { digest, size, mediaType, role }
  if (fault === undefined) return { ...about, status: 'ok' }
  const { code, message, facts, hint } = fault
  const missing = optional ? 'absent' : 'missing'
  return {
    ...about,
    status: code === 'BLOB_NOT_FOUND' ? missing : 'damaged',
    error: { code, message, facts, ...(hint === undefined ? {} : { hint }) }
  }
}
