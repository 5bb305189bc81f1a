/** The errors of blobs. */
import { OciUnpackError, type Facts } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import type { BlobSource } from './blob-source.ts'
import type { NotRegular } from './file.ts'

export function blobNotFound(source: BlobSource): OciUnpackError {
  return new OciUnpackError('BLOB_NOT_FOUND', 'A blob that the image needs is not there.', {
    facts: { ...place(source), expected: source.digest },
    hint: 'Copy the image again, for instance with skopeo copy; a partial copy may hold one platform only.'
  })
}

export function blobInvalid(
  source: BlobSource,
  reason: Exclude<NotRegular, 'missing'>
): OciUnpackError {
  return new OciUnpackError('BLOB_INVALID', 'A blob is not a regular file.', {
    facts: { ...place(source), expected: source.digest, found: reason },
    hint: 'Blobs must be plain files: cp -rL makes a copy of a layout in which links are resolved.'
  })
}

export function blobSizeMismatch(source: BlobSource, found: number | string): OciUnpackError {
  return new OciUnpackError(
    'BLOB_SIZE_MISMATCH',
    'A blob has not the size that the image promises.',
    {
      facts: { ...place(source), expected: `${source.size} bytes`, found: `${found} bytes` },
      hint: 'The file was cut short or changed; copy the image again.'
    }
  )
}

export function blobDigestMismatch(source: BlobSource, found: Digest): OciUnpackError {
  return new OciUnpackError(
    'BLOB_DIGEST_MISMATCH',
    'A blob has not the digest that the image promises.',
    {
      facts: { ...place(source), expected: source.digest, found },
      hint: 'The file was damaged or changed; copy the image again.'
    }
  )
}

/** An uncompressed layer that is not the one of the config. */
export function diffIdMismatch(expected: Digest, found: string): OciUnpackError {
  return new OciUnpackError(
    'DIFF_ID_MISMATCH',
    'The uncompressed layer is not what the config says.',
    {
      facts: { expected, found },
      hint: 'The image is damaged or was put together wrongly; fetch or build it again.'
    }
  )
}

function place({ path, section, digest }: BlobSource): Facts {
  const file = path ?? `${digest} (embedded)`
  return section === undefined ? { file } : { file, offset: section.offset }
}
