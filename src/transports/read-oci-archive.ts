/** Reads the OCI layout in a tar archive. */
import { Archive } from '../archive/open-archive.ts'
import type { UnpackedArchive } from '../archive/spool-archive.ts'
import { OciUnpackError } from '../errors.ts'
import { parseIndex, parseLayoutFile } from '../image/documents.ts'
import { imageSource, relativeBlobPath, type ImageSource } from '../store/image-source.ts'
import {
  DEFAULT_MAX_DOCUMENT_SIZE,
  VERSION_FILE,
  warnOfNoVersion,
  type LayoutOptions
} from '../store/layout.ts'

/**
 * The OCI layout in a tar archive, as `skopeo copy … oci-archive:FILE` writes it. It is read in place.
 * @param unpacked the uncompressed archive, if the one at the path is compressed
 * @throws ARCHIVE_INVALID, TAR_INVALID, LAYOUT_INVALID (an unknown version), LIMIT_EXCEEDED
 */
export function openOciArchive(
  path: string,
  options: LayoutOptions = {},
  unpacked?: UnpackedArchive
): ImageSource {
  const limit = options.maxDocumentSize ?? DEFAULT_MAX_DOCUMENT_SIZE
  const archive = new Archive(path, unpacked)
  const hasVersion = archive.has(VERSION_FILE)
  if (hasVersion || !archive.has('index.json')) assertVersion(archive, limit)
  const source = imageSource({
    path: archive.path,
    limit,
    hasDefaultTag: false,
    onWarning: options.onWarning,
    close: () => archive.close(),
    readIndex: () =>
      parseIndex(archive.read('index.json', limit), { file: archive.describe('index.json') }),
    locate: (digest) => archive.place(relativeBlobPath(digest))
  })
  if (!hasVersion) warnOfNoVersion(source, archive.describe(VERSION_FILE))
  return source
}

function assertVersion(archive: Archive, limit: number): void {
  const bytes = archive.read(VERSION_FILE, limit)
  try {
    parseLayoutFile(bytes, { file: archive.describe(VERSION_FILE) })
  } catch (cause) {
    if (!(cause instanceof OciUnpackError)) throw cause
    throw new OciUnpackError('LAYOUT_INVALID', 'The version of the layout is unknown.', {
      facts: cause.facts,
      cause
    })
  }
}
