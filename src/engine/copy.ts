/** An image from one place to another: between layouts and archives, blobs as they are. */
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import { parsePlatform } from '../image/platform.ts'
import { DEFAULT_TAG, parseImageName, type ImageName } from '../image/reference.ts'
import { findEntry } from '../image/tags.ts'
import type { Descriptor, Platform } from '../image/types.ts'
import { openBlob } from '../store/blob.ts'
import type { ImageSource } from '../store/image-source.ts'
import { reachableBlobs, type ReachableBlob } from '../store/reachable.ts'
import { resolveImage } from '../store/resolve.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { copyToLayout } from './transfer/copy-to-layout.ts'
import type { CopySettings } from './transfer/copy-settings.ts'
import type { OnEvent } from './operation/events.ts'
import { tagInSource } from './transfer/open-source.ts'
import { withSource } from './transfer/with-source.ts'
import { checkSettings } from './verify.ts'
import { requireOptions } from './operation/required-options.ts'

export interface CopyOptions {
  /** `[TRANSPORT:]PATH[:TAG]`. */
  source: string
  /**
   * `[TRANSPORT:]PATH[:TAG]`. A layout is made if it is not there and else added to; an archive must not be there.
   * Without a tag it is `latest` in a layout, and in an oci-archive the tag of the source.
   */
  destination: string
  /** `os/arch[/variant]`: copy only the image for this platform. Default all that the tag leads to. */
  platform?: string
  /** Layers that are verified at once before a docker-archive is written; default the number of processors. */
  jobs?: number
  /** As for `unpack`; for a docker-archive, whose layers are not compressed. */
  decompressor?: string
  /** Stops the operation: it rejects with ABORTED and leaves nothing half-made behind. */
  signal?: AbortSignal
  onEvent?: OnEvent
}

export interface CopyResult {
  /** Digest of what the tag of the destination stands for; undefined of a docker-archive, which has no such thing. */
  digest: string | undefined
}

/**
 * Copies an image: every blob is verified (size, digest) as it passes, and nothing of it can be seen at the destination
 * before all are there. Blobs that a layout has already are not copied again; where the file system can, they are
 * cloned. A multi-arch index is copied whole.
 * @throws OciUnpackError with a stable `code`
 */
export async function copy(options: CopyOptions): Promise<CopyResult> {
  requireOptions(options, { source: 'text', destination: 'text' })
  const from = parseImageName(options.source)
  const to = parseDestination(options.destination)
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const settings = { ...checkSettings(options), onEvent: options.onEvent ?? (() => undefined) }
  return asked({ image: options.source }, () => {
    throwIfAborted(options.signal)
    return withSource(from, { signal: options.signal }, async (source) => ({
      digest: await copyTo(to, source, from, platform, settings)
    }))
  })
}

function parseDestination(text: string): ImageName {
  const name = parseImageName(text)
  if (name.tag?.startsWith('@') !== true) return name
  throw new OciUnpackError('REFERENCE_INVALID', 'A place cannot be the name of a new image.', {
    facts: { found: text },
    hint: 'Give docker-archive:FILE or docker-archive:FILE:NAME:TAG.'
  })
}

async function copyTo(
  to: ImageName,
  source: ImageSource,
  from: ImageName,
  platform: Platform | undefined,
  settings: CopySettings
): Promise<string | undefined> {
  const tag = tagInSource(from)
  if (to.transport === 'docker-archive') {
    const { copyToDockerArchive } = await import('./transfer/copy-to-docker-archive.ts')
    await copyToDockerArchive(to, source, resolveImage(source, tag, platform), settings)
    return undefined
  }
  const root = chooseRoot(source, tag, platform)
  const blobs = needed(source, reachableBlobs(source, [root]), settings)
  if (to.transport === 'oci') {
    await copyToLayout({ ...to, tag: to.tag ?? DEFAULT_TAG }, root, source, blobs, settings)
  } else {
    const { copyToOciArchive } = await import('./transfer/copy-to-oci-archive.ts')
    await copyToOciArchive(to, root, source, blobs, settings)
  }
  return root.digest
}

function chooseRoot(
  source: ImageSource,
  tag: string | undefined,
  platform: Platform | undefined
): Descriptor {
  return platform === undefined
    ? findEntry(source.readIndex(), tag)
    : target(resolveImage(source, tag, platform).descriptorPath)
}

/** The blobs to copy, parts before the whole; what need not be there and is not stays out, with a warning. */
function needed(
  source: ImageSource,
  blobs: readonly ReachableBlob[],
  { onEvent }: CopySettings
): ReachableBlob[] {
  return blobs.filter((blob) => {
    const { descriptor, optional } = blob
    assertKnown(blob)
    const fault = blob.fault ?? (optional ? absence(source, blob) : undefined)
    if (fault === undefined) return true
    if (!optional || fault.code !== 'BLOB_NOT_FOUND') throw fault
    const facts = { found: descriptor.mediaType, expected: descriptor.digest }
    onEvent({ type: 'warning', message: 'A part that is not there is not copied.', facts })
    return false
  })
}

/** The walk opens only documents. */
function absence(
  source: ImageSource,
  { descriptor, document }: ReachableBlob
): OciUnpackError | undefined {
  if (document !== undefined) return undefined
  try {
    openBlob(source.blobSource(descriptor)).close()
    return undefined
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
}

/** Of a manifest of another kind, the parts would be lost without a word. */
function assertKnown({ role, descriptor }: ReachableBlob): void {
  if (role !== 'other' || !/manifest/.test(descriptor.mediaType)) return
  throw new OciUnpackError('MEDIA_TYPE_UNSUPPORTED', 'What belongs to a manifest is not known.', {
    facts: { file: descriptor.digest, found: descriptor.mediaType },
    hint: 'Choose one image of the index with {platform}, or use a tool that knows this type.'
  })
}
