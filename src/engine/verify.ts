/**
 * Checks whether images are intact and can be unpacked: every blob, every document and, of images, what is in the layers.
 * Nothing is written.
 */
import { availableParallelism } from 'node:os'
import { probeDecompressors } from '../codec/choice.ts'
import { OciUnpackError, type ErrorCode, type Facts } from '../errors.ts'
import { isDescriptor } from '../image/documents.ts'
import { isRootFilesystem } from '../image/image-kind.ts'
import type { Descriptor } from '../image/types.ts'
import type { BlobRole } from '../store/blob-role.ts'
import { findEntry } from '../store/find-entry.ts'
import type { ImageSource } from '../store/image-source.ts'
import { reachableBlobs, type ReachableBlob } from '../store/reachable.ts'
import type { RegistrySettings } from '../registry/registry.ts'
import { parseImageName, parsePlace } from '../transports/image-name.ts'
import type { ImageName } from '../transports/list.ts'
import { hasIndex } from '../transports/open-images.ts'
import {
  checkImages,
  type ImageCheckSettings,
  type ReadableImage
} from './transfer/check-images.ts'
import { readImageDocuments, type ImageBlob, type OnFault } from './transfer/image-documents.ts'
import { count, normalizeLimits, type UnpackLimits } from './extract/unpack-options.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { warningTo } from './operation/warnings.ts'
import { requireOptions } from './operation/required-options.ts'
import { checkBlobs, type CheckSettings } from './transfer/check-blobs.ts'
import { withSource } from './transfer/with-source.ts'

export interface VerifyOptions {
  /** `[TRANSPORT:]PATH[:TAG]`: one image, for all platforms. Give this or `layout`. */
  image?: string
  /** `[TRANSPORT:]PATH`: all images there. */
  layout?: string
  /** How many blobs are read at once; default the number of processors. 0 starts no threads. */
  jobs?: number
  /** As for `unpack`. */
  decompressor?: string
  /** As for `unpack`: an image that exceeds one is not `ok`. */
  limits?: UnpackLimits
  /** How registries are reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  signal?: AbortSignal
  /** Gets warnings about names and documents. */
  onEvent?: OnEvent
}

/**
 * `absent`: does not exist, but need not (a platform of an index, a subject, a layer that is not distributable).
 * `missing`: needed, but does not exist. `damaged`: exists, but has the wrong content, or `unpack` would
 * refuse it.
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
 * Reads every blob that an image, or all images of a layout or archive, lead to, each once. An image is `ok` where
 * `unpack` works, for every platform; of artifacts (signatures, attestations, charts) only sizes and digests are checked.
 * Faults of blobs are in the result; it throws if there is nothing to verify.
 * @throws USAGE, REFERENCE_INVALID, LAYOUT_INVALID, ARCHIVE_INVALID, TAG_*, DOCUMENT_INVALID, ABORTED
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  requireOptions(options, {})
  const text = chosen(options)
  return asked({ image: text }, () => {
    const { layoutOptions, ...limits } = normalizeLimits(options.limits)
    const settings = { ...checkSettings(options), ...limits, policy: NO_MAPS }
    const { registry, signal, onEvent } = options
    throwIfAborted(signal)
    const opened = { ...layoutOptions, registry, signal, onEvent }
    return options.image === undefined
      ? withSource(wholePlace(text), opened, (source) =>
          verifyRoots(source, source.readIndex().manifests, settings)
        )
      : withSource(parseImageName(text, warningTo(onEvent)), opened, (source, tag) =>
          verifyRoots(source, [findEntry(source, tag)], settings)
        )
  })
}

/** @throws REFERENCE_INVALID for a repository, which has no index of all its images */
function wholePlace(text: string): ImageName {
  const name = parsePlace(text)
  if (hasIndex(name)) return name
  throw new OciUnpackError('REFERENCE_INVALID', 'A repository is verified image by image.', {
    facts: { found: text },
    hint: 'Name each image with {image}; list shows the tags.'
  })
}

type VerifySettings = ImageCheckSettings & CheckSettings

const NO_MAPS = { kind: 'exact', uidMap: [], gidMap: [] } as const

async function verifyRoots(
  source: ImageSource,
  roots: readonly Descriptor[],
  settings: VerifySettings
): Promise<VerifyResult> {
  await source.prepare(() => {
    readableImages(source, reachableBlobs(source, roots), () => undefined)
  })
  const blobs = reachableBlobs(source, roots)
  const faults = new Map<ReachableBlob, OciUnpackError>()
  const onFault: OnFault = (blob, fault) => {
    if (!faults.has(blob)) faults.set(blob, fault)
  }
  const images = readableImages(source, blobs, onFault)
  const read = new Set(
    images.flatMap(({ blob: { content } }) => [content.config, ...content.layers])
  )
  const plain = blobs.filter((blob) => !isDocument(blob) && !read.has(blob))
  await checkPlainBlobs(source, plain, settings, onFault)
  await checkImages(source, images, settings, onFault)
  const reports = blobs.map((blob) => report(blob, documentFault(blob) ?? faults.get(blob)))
  return {
    ok: reports.every(({ status }) => status === 'ok' || status === 'absent'),
    blobs: reports
  }
}

/** Artifacts are not images: nobody unpacks them, so their blobs are only bytes. */
function readableImages(
  source: ImageSource,
  blobs: readonly ReachableBlob[],
  onFault: OnFault
): ReadableImage[] {
  return blobs.filter(isImage).flatMap((blob) => {
    const image = readImageDocuments(source, blob, onFault)
    return image === undefined ? [] : [{ blob, image }]
  })
}

function isImage(blob: ReachableBlob): blob is ImageBlob {
  return blob.content !== undefined && isRootFilesystem(blob.content.manifest)
}

async function checkPlainBlobs(
  source: ImageSource,
  blobs: readonly ReachableBlob[],
  settings: VerifySettings,
  onFault: OnFault
): Promise<void> {
  const wanted = blobs.map(({ descriptor }) => ({ descriptor, diffId: undefined }))
  const outcomes = await checkBlobs(source, wanted, settings)
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') continue
    if (!(outcome.reason instanceof OciUnpackError)) throw outcome.reason
    onFault(blobs[index]!, outcome.reason)
  }
}

function isDocument({ role }: ReachableBlob): boolean {
  return role === 'index' || role === 'manifest'
}

/** A document of an unknown type is only bytes, whatever else is wrong with it. */
function documentFault(blob: ReachableBlob): OciUnpackError | undefined {
  return isDocument(blob) ? blob.fault : undefined
}

/** @throws USAGE, DECOMPRESSOR_UNAVAILABLE */
function checkSettings(options: VerifyOptions): CheckSettings {
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

function report(
  { descriptor, role, optional }: ReachableBlob,
  fault: OciUnpackError | undefined
): BlobReport {
  const about = { ...identity(descriptor), role }
  if (fault === undefined) return { ...about, status: 'ok' }
  const { code, message, facts, hint } = fault
  const missing = optional ? 'absent' : 'missing'
  return {
    ...about,
    status: code === 'BLOB_NOT_FOUND' ? missing : 'damaged',
    error: { code, message, facts, ...(hint === undefined ? {} : { hint }) }
  }
}

/** An entry of an index may be anything. */
function identity(descriptor: Descriptor): Pick<BlobReport, 'digest' | 'size' | 'mediaType'> {
  const { digest, size, mediaType } = descriptor
  return isDescriptor(descriptor)
    ? { digest, size, mediaType }
    : { digest: typeof digest === 'string' ? digest : '', size: 0, mediaType }
}
