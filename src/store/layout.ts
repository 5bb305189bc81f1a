/** Opens layouts for reading. */
import { lstatSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { parseIndex, parseLayoutFile } from '../image/documents.ts'
import { OCI_INDEX } from '../image/media-types.ts'
import type { ImageIndex } from '../image/types.ts'
import { isDirectory } from '../sys/is-directory.ts'
import { readSmallFile, type NotRegular } from './file.ts'
import { imageSource, relativeBlobPath, type ImageSource } from './image-source.ts'

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
}

export const DEFAULT_MAX_DOCUMENT_SIZE: number = 4 * 1024 * 1024

/** @throws LAYOUT_INVALID if the path is not a layout of version 1.x */
export function openLayout(path: string, options: LayoutOptions = {}): Layout {
  const root = resolve(path)
  const limit = options.maxDocumentSize ?? DEFAULT_MAX_DOCUMENT_SIZE
  assertLayout(root, limit)
  const blobPath = (digest: Digest) => join(root, relativeBlobPath(digest))
  const source = imageSource({
    path: root,
    limit,
    readIndex: () => readIndex(root, limit),
    locate: (digest) => ({ path: blobPath(digest), within: root })
  })
  return {
    ...source,
    blobPath,
    hasBlob: (digest) => lstatSync(blobPath(digest), { throwIfNoEntry: false }) !== undefined
  }
}

function assertLayout(root: string, limit: number): void {
  if (!isDirectory(root)) throw notLayout(root, 'is not a directory')
  const file = join(root, 'oci-layout')
  const bytes = readSmallFile(file, limit)
  if (typeof bytes === 'string') throw notLayout(file, reason(bytes))
  try {
    parseLayoutFile(bytes, { file })
  } catch (cause) {
    throw cause instanceof OciUnpackError ? unknownVersion(cause) : cause
  }
  if (!isDirectory(join(root, 'blobs'))) throw notLayout(join(root, 'blobs'), 'is not a directory')
  if (!isFile(join(root, 'index.json'))) throw notLayout(join(root, 'index.json'), 'is not a file')
}

function readIndex(root: string, limit: number): ImageIndex {
  const file = join(root, 'index.json')
  const bytes = readSmallFile(file, limit)
  if (typeof bytes === 'string') throw notLayout(file, reason(bytes))
  return parseIndex(bytes, { file, mediaType: OCI_INDEX })
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
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
