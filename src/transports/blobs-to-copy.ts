/** The blobs that have to be copied so that an image is complete somewhere else. */
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import { isDescriptor } from '../image/documents.ts'
import type { Descriptor } from '../image/types.ts'
import { openBlob } from '../store/blob.ts'
import { blobNotFound } from '../store/blob-errors.ts'
import { findEntry } from '../store/find-entry.ts'
import { prepared, type ImageSource } from '../store/image-source.ts'
import { reachableBlobs, type ReachableBlob } from '../store/reachable.ts'
import { imageReferrers, type Referrer } from '../store/referrers.ts'
import { resolveImage } from '../store/resolve.ts'
import type { ImageToWrite, TransferHelp } from './transport.ts'

export interface BlobsToCopy {
  /** What the tag refers to: an index or a manifest. */
  root: Descriptor
  /** What refers to the image. */
  referrers: readonly Referrer[]
  /** Parts before the whole. */
  blobs: readonly ReachableBlob[]
}

/**
 * The image of one platform, or everything that its tag refers to. A missing part that the image can do without is left
 * out, with a warning.
 * @throws TAG_*, PLATFORM_*, BLOB_*, DOCUMENT_INVALID, MEDIA_TYPE_UNSUPPORTED, LIMIT_EXCEEDED
 */
export async function blobsToCopy(image: ImageToWrite, help: TransferHelp): Promise<BlobsToCopy> {
  const { source } = image
  const root = await prepared(source, () => chooseRoot(image))
  const referrers = image.referrers === true ? await imageReferrers(source, root) : []
  const roots = [root, ...referrers.map(({ descriptor }) => descriptor)]
  const blobs = await prepared(source, () => reachableBlobs(source, roots))
  return { root, referrers, blobs: await needed(source, blobs, help) }
}

function chooseRoot({ source, tag, platform }: ImageToWrite): Descriptor {
  return platform === undefined
    ? findEntry(source, tag)
    : target(resolveImage(source, tag, platform).descriptorPath)
}

async function needed(
  source: ImageSource,
  blobs: readonly ReachableBlob[],
  { onEvent }: TransferHelp
): Promise<ReachableBlob[]> {
  const present: ReachableBlob[] = []
  for (const blob of blobs) {
    const { descriptor, optional } = blob
    const fault = blob.fault ?? (optional ? await absence(source, blob) : undefined)
    if (fault === undefined) present.push(blob)
    else if (!optional || !(fault.code === 'BLOB_NOT_FOUND' || !isDescriptor(descriptor)))
      throw fault
    else
      onEvent({
        type: 'warning',
        message: 'A part of the image is missing and was not copied.',
        facts: { found: descriptor.mediaType, expected: String(descriptor.digest) }
      })
  }
  return present
}

/** The walk opens only documents, so other blobs are looked for here. */
async function absence(
  source: ImageSource,
  { descriptor, isVerified }: ReachableBlob
): Promise<OciUnpackError | undefined> {
  if (isVerified) return undefined
  try {
    const blob = source.blobSource(descriptor)
    if (source.isThere === undefined) openBlob(blob).close()
    else if (!(await source.isThere(descriptor))) return blobNotFound(blob)
    return undefined
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
}
