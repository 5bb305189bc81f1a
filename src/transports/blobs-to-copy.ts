/** The blobs that have to be copied so that an image is complete somewhere else. */
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import { isDescriptor } from '../image/documents.ts'
import type { Descriptor } from '../image/types.ts'
import { openBlob } from '../store/blob.ts'
import { findEntry } from '../store/find-entry.ts'
import type { ImageSource } from '../store/image-source.ts'
import { reachableBlobs, type ReachableBlob } from '../store/reachable.ts'
import { resolveImage } from '../store/resolve.ts'
import type { ImageToWrite, WriterHelp } from './transport.ts'

export interface BlobsToCopy {
  /** What the tag refers to: an index or a manifest. */
  root: Descriptor
  /** Parts before the whole. */
  blobs: readonly ReachableBlob[]
}

/**
 * The image of one platform, or everything that its tag refers to. A missing part that the image can do without is left
 * out, with a warning.
 * @throws TAG_*, PLATFORM_*, BLOB_*, DOCUMENT_INVALID, MEDIA_TYPE_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function blobsToCopy(image: ImageToWrite, help: WriterHelp): BlobsToCopy {
  const root = chooseRoot(image)
  return { root, blobs: needed(image.source, reachableBlobs(image.source, [root]), help) }
}

function chooseRoot({ source, tag, platform }: ImageToWrite): Descriptor {
  return platform === undefined
    ? findEntry(source, tag)
    : target(resolveImage(source, tag, platform).descriptorPath)
}

function needed(
  source: ImageSource,
  blobs: readonly ReachableBlob[],
  { onEvent }: WriterHelp
): ReachableBlob[] {
  return blobs.filter((blob) => {
    const { descriptor, optional } = blob
    const fault = blob.fault ?? (optional ? absence(source, blob) : undefined)
    if (fault === undefined) return true
    if (!optional || !(fault.code === 'BLOB_NOT_FOUND' || !isDescriptor(descriptor))) throw fault
    onEvent({
      type: 'warning',
      message: 'A part of the image is missing and was not copied.',
      facts: { found: descriptor.mediaType, expected: String(descriptor.digest) }
    })
    return false
  })
}

/** The walk opens only documents, so other blobs are looked for here. */
function absence(
  source: ImageSource,
  { descriptor, isVerified }: ReachableBlob
): OciUnpackError | undefined {
  if (isVerified) return undefined
  try {
    openBlob(source.blobSource(descriptor)).close()
    return undefined
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
}
