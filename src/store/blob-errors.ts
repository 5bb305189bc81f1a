/** Errors about blobs. */
import { OciUnpackError, type Facts } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import type { BlobOrigin, BlobSource } from './blob-source.ts'
import type { NotLinked, NotRegular } from './file.ts'

export function blobNotFound(source: BlobSource): OciUnpackError {
  return new OciUnpackError('BLOB_NOT_FOUND', 'A blob that the image needs is missing.', {
    facts: { ...place(source), expected: source.digest },
    hint: 'Copy the image again, for example with skopeo copy. A partial copy may contain only one platform.'
  })
}

export function blobInvalid(
  source: BlobSource,
  reason: Exclude<NotRegular, 'missing'> | NotLinked
): OciUnpackError {
  return new OciUnpackError('BLOB_INVALID', 'A blob is not a regular file.', {
    facts: { ...place(source), expected: source.digest, found: reason },
    hint: 'Blobs must be files, or links to files inside the layout: cp -rL makes a copy in which links are resolved.'
  })
}

export function blobSizeMismatch(source: BlobSource, found: number | string): OciUnpackError {
  return new OciUnpackError(
    'BLOB_SIZE_MISMATCH',
    'The size of a blob is not what the image says.',
    {
      facts: { ...place(source), expected: `${source.size} bytes`, found: `${found} bytes` },
      hint: hintFor(source, 'The file was cut short or changed. Copy the image again.')
    }
  )
}

export function blobDigestMismatch(source: BlobSource, found: Digest): OciUnpackError {
  return new OciUnpackError(
    'BLOB_DIGEST_MISMATCH',
    'The digest of a blob is not what the image says.',
    {
      facts: { ...place(source), expected: source.digest, found },
      hint: hintFor(source, 'The file was damaged or changed. Copy the image again.')
    }
  )
}

/** The error for a layer whose uncompressed content does not match the config. */
export function diffIdMismatch(expected: Digest, found: string): OciUnpackError {
  return new OciUnpackError(
    'DIFF_ID_MISMATCH',
    'The diff ID of a layer is not what the config says.',
    {
      facts: { expected, found },
      hint: 'The image is damaged or was put together wrongly. Fetch or build it again.'
    }
  )
}

function hintFor({ origin }: BlobSource, ofFile: string): string {
  return origin === undefined ? ofFile : changedOnTheWay(origin)
}

/** For bytes that are not those that were asked for. */
export function changedOnTheWay({ host, isMirror }: Pick<BlobOrigin, 'host' | 'isMirror'>): string {
  return isMirror
    ? `The mirror ${host}, or something on the way, has changed what was asked for. Try again; if it stays so, take the mirror out of registries.conf, or have it fetch the image anew.`
    : 'The registry, or something on the way, has changed what was asked for. Try again; if it stays so, push the image again.'
}

function place({ path, origin, section, digest }: BlobSource): Facts {
  if (path === undefined && origin !== undefined) {
    const { host, repository } = origin
    return { host, repository, blob: digest }
  }
  const file = path ?? `${digest} (embedded)`
  return section === undefined ? { file } : { file, offset: section.offset }
}
