/** Opens layouts for reading. */
import { lstatSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { parseIndex, parseLayoutFile } from '../image/documents.ts'
import type { ImageIndex } from '../image/types.ts'
import { isDirectory } from '../sys/is-directory.ts'
import { isFile, readSmallFile, type NotRegular } from './file.ts'
import { imageSource, relativeBlobPath, type ImageSource, type OnWarning } from './image-source.ts'

/** An OCI image layout directory (image-spec image-layout.md). Keeps nothing open and reads again on every call. */
export interface Layout extends ImageSource {
  /** The path that a blob has or would have. @throws DIGEST_INVALID for an unknown algorithm */
  blobPath(digest: Digest): string
  /** Whether there is something at that path, which may still be damaged. */
  hasBlob(digest: Digest): boolean
}

export interface LayoutOptions {
  /** The largest JSON document that is read, in bytes. Default 4 MiB, as in registries. */
  maxDocumentSize?: number
  /** Called with whatever is odd in the layout and its documents, but is not a reason to fail. */
  onWarning?: OnWarning | undefined
}

/** The name of the file that gives the version of a layout. */
export const VERSION_FILE = 'oci-layout'

export const DEFAULT_MAX_DOCUMENT_SIZE: number = 4 * 1024 * 1024

/**
 * A layout without the version file is read, with a warning.
 * @throws LAYOUT_INVALID if the path is not a layout of version 1.x
 */
export function openLayout(path: string, options: LayoutOptions = {}): Layout {
  const root = resolve(path)
  const limit = options.maxDocumentSize ?? DEFAULT_MAX_DOCUMENT_SIZE
  const hasVersion = assertLayout(root, limit)
  const blobPath = (digest: Digest) => join(root, relativeBlobPath(digest))
  const source = imageSource({
    path: root,
    limit,
    hasDefaultTag: true,
    onWarning: options.onWarning,
    readIndex: () => readIndex(root, limit),
    locate: (digest) => ({ path: blobPath(digest), within: root })
  })
  if (!hasVersion) warnOfNoVersion(source, join(root, VERSION_FILE))
  return {
    ...source,
    blobPath,
    hasBlob: (digest) => lstatSync(blobPath(digest), { throwIfNoEntry: false }) !== undefined
  }
}

export function warnOfNoVersion({ warn }: ImageSource, file: string): void {
  warn('The layout has no version file, and is read as version 1.', { file })
}

/** Whether a directory has the parts of a layout that are needed to read it, whatever is in them. */
export function looksLikeLayout(path: string): boolean {
  return isDirectory(join(path, 'blobs')) && isFile(join(path, 'index.json'))
}

/** Returns whether there is a version file: some tools omit it (BuildKit's local caches, before 0.12). */
function assertLayout(root: string, limit: number): boolean {
  if (!isDirectory(root)) throw notLayout(root, 'is not a directory')
  const file = join(root, VERSION_FILE)
  const bytes = readSmallFile(file, limit)
  const isOmitted = bytes === 'missing' && looksLikeLayout(root)
  if (typeof bytes !== 'string') assertVersion(bytes, file)
  else if (!isOmitted) throw notLayout(file, reason(bytes))
  if (!isDirectory(join(root, 'blobs'))) throw notLayout(join(root, 'blobs'), 'is not a directory')
  if (!isFile(join(root, 'index.json'))) throw notLayout(join(root, 'index.json'), 'is not a file')
  return !isOmitted
}

function assertVersion(bytes: Buffer, file: string): void {
  try {
    parseLayoutFile(bytes, { file })
  } catch (cause) {
    throw cause instanceof OciUnpackError ? unknownVersion(cause) : cause
  }
}

function readIndex(root: string, limit: number): ImageIndex {
  const file = join(root, 'index.json')
  const bytes = readSmallFile(file, limit)
  if (typeof bytes === 'string') throw notLayout(file, reason(bytes))
  return parseIndex(bytes, { file })
}

function reason(found: NotRegular): string {
  return found === 'missing' ? 'is missing' : `is not a file: ${found}`
}

function notLayout(file: string, why: string): OciUnpackError {
  return new OciUnpackError('LAYOUT_INVALID', 'The path is not an OCI image layout.', {
    facts: { file, reason: why },
    hint: 'Give the directory that contains oci-layout, index.json and blobs/; skopeo copy SOURCE oci:DIRECTORY:TAG makes one.'
  })
}

function unknownVersion(cause: OciUnpackError): OciUnpackError {
  return new OciUnpackError('LAYOUT_INVALID', 'The version of the layout is unknown.', {
    facts: cause.facts,
    hint: 'Copy the image into a new layout of version 1.0.0, for instance with skopeo copy.',
    cause
  })
}
