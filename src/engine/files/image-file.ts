/** Files of an image that are read at any offset. */
import { Readable } from 'node:stream'
import type { ByteString } from '../../bytes.ts'
import { OciUnpackError, type Facts } from '../../errors.ts'
import type { Inode } from '../../plan/tree.ts'
import { FileMap, type FileExtent } from '../../random-access/file-map.ts'
import type { ImageJob } from '../extract/job.ts'
import { normalizeImage, type ImageOptions } from '../extract/unpack-options.ts'
import { asked } from '../operation/asked.ts'
import { requireOptions } from '../operation/required-options.ts'
import { findOne, searchForPath, type FileSearch, type FoundInode } from './file-search.ts'
import { holdImage } from './held-image.ts'
import { openIndexDirectory } from './index-directory.ts'
import { IndexedLayers } from './indexed-layers.ts'
import { withLayerReader } from './layer-reader.ts'
import { kindOfPath } from './regular-file.ts'
import type { SpanReader } from './span-reader.ts'
import { entryOf } from './spool-bodies.ts'

export type { FileExtent } from '../../random-access/file-map.ts'

/** A regular file of the merged tree of an image, opened for reading at any offset. */
export interface ImageFile {
  /** In bytes. */
  readonly size: number
  /**
   * Fills `target` from `offset`; may be called several times at once. Never gives bytes that were not verified.
   * @throws OciUnpackError: USAGE past the end of the file, INDEX_INVALID, SYSCALL_FAILED, REGISTRY_*
   */
  read(target: Uint8Array, offset: number): Promise<void>
  /**
   * Alternating data and holes from `offset`, clipped to `length`; what is only zeros counts as a hole if that is known.
   * Adjacent pieces of one kind are joined. Lengths are in bytes. @throws OciUnpackError: USAGE past the end of the file
   */
  extents(offset: number, length: number): Promise<readonly FileExtent[]>
  /** Waits for reads that are under way, and releases the image. May be called again. */
  close(): Promise<void>
}

export interface ImageFileOptions extends ImageOptions {
  /** Path in the image; links are followed inside the image only. */
  path: string | Uint8Array
  /**
   * The directory of indexes, made if it does not exist; nobody else may write to it. Default: in the user's cache, and
   * temporary files if that cannot be used.
   */
  index?: string
}

/**
 * Opens a regular file in the merged tree. Layers are searched from the top down, by their indexes. A layer without an
 * index is read once as a whole, verified (size, digest, diff ID), and gets one. Every read is verified against digests
 * that were taken then.
 * @throws OciUnpackError with a stable `code`
 */
export async function openImageFile(options: ImageFileOptions): Promise<ImageFile> {
  requireOptions(options, { image: 'text', path: kindOfPath(options) }, { index: 'text' })
  const { files, close } = await openImageFiles(options, [searchForPath(options.path)])
  return { ...files[0]!.file, close }
}

export interface OpenedFiles {
  /** One for each search, in their order. */
  readonly files: readonly (Pick<FoundInode, 'path'> & { file: OpenedFile })[]
  /** Waits for reads that are under way, and releases the image. May be called again. */
  readonly close: () => Promise<void>
}

export type OpenedFile = Omit<ImageFile, 'close'>

/** Opens several files with one opening of the image and of its indexes. @throws OciUnpackError, what `openImageFile` throws */
export function openImageFiles(
  options: Omit<ImageFileOptions, 'path'>,
  searches: readonly FileSearch[]
): Promise<OpenedFiles> {
  const facts = { image: options.image }
  return asked(facts, async () => {
    const { value, release } = await holdImage(options.image, normalizeImage(options), (job) =>
      openIn(job, options.index, searches)
    )
    let closing: Promise<void> | undefined
    return {
      files: value.files.map(({ path, file }) => ({ path, file: askedFile(facts, file) })),
      close: () => (closing ??= value.close().then(release))
    }
  })
}

function askedFile(facts: Facts, file: IndexedFile): OpenedFile {
  return {
    size: file.size,
    read: (target, offset) => asked(facts, () => file.read(target, offset)),
    extents: (offset, length) => asked(facts, () => file.extents(offset, length))
  }
}

/**
 * The content of a file from `start` to `end` (exclusive; default its size), in bytes. Does not close the file. The stream
 * fails with USAGE if this is not a range within the file, and with what `read` throws.
 */
export function imageFileStream(
  file: ImageFile,
  { start = 0, end = file.size }: { start?: number; end?: number } = {}
): Readable {
  return Readable.from(pieces(file, start, end), { objectMode: false })
}

const PIECE_BYTES = 1 << 18

async function* pieces(file: ImageFile, start: number, end: number): AsyncGenerator<Buffer> {
  assertWithin(file.size, start, end - start)
  for (let offset = start; offset < end; offset += PIECE_BYTES) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, end - offset))
    await file.read(piece, offset)
    yield piece
  }
}

interface IndexedFiles {
  files: { path: ByteString; file: IndexedFile }[]
  close: () => Promise<void>
}

async function openIn(
  job: ImageJob,
  directory: string | undefined,
  searches: readonly FileSearch[]
): Promise<IndexedFiles> {
  const layers = new IndexedLayers(job, openIndexDirectory(directory, job.settings.onEvent))
  const files: IndexedFiles['files'] = []
  const close = async (): Promise<void> => {
    await Promise.all(files.map(({ file }) => file.close()))
    layers.close()
  }
  try {
    await withLayerReader(job, async (reader) => {
      const index = (layer: number) => layers.entries(layer, reader)
      for (const search of searches) {
        const { path, inode } = await findOne({ index }, job, search)
        const spans = layers.spans(inode.layer, await layers.index(inode.layer, reader))
        files.push({ path, file: new IndexedFile(inode, spans) })
      }
    })
    return { files, close }
  } catch (error) {
    await close()
    throw error
  }
}

class IndexedFile {
  readonly size: number
  private readonly map: FileMap
  private readonly spans: SpanReader

  constructor(inode: Inode, spans: SpanReader) {
    const { size, body, extents } = entryOf(inode)
    this.size = size
    this.map = new FileMap({ size, body: body!, extents })
    this.spans = spans
  }

  async read(target: Uint8Array, offset: number): Promise<void> {
    assertWithin(this.size, offset, target.length)
    const buffer = Buffer.from(target.buffer, target.byteOffset, target.byteLength)
    let done = 0
    for (const { at, length } of this.map.parts(offset, buffer.length)) {
      const part = buffer.subarray(done, done + length)
      if (at === undefined) part.fill(0)
      else await this.spans.read(part, at)
      done += length
    }
  }

  extents(offset: number, length: number): readonly FileExtent[] {
    assertWithin(this.size, offset, length)
    return this.map.holes(offset, length, this.spans.zeroRuns)
  }

  close(): Promise<void> {
    return this.spans.close()
  }
}

function assertWithin(size: number, offset: number, length: number): void {
  const isRange = [offset, length].every((it) => Number.isSafeInteger(it) && it >= 0)
  if (isRange && offset + length <= size) return
  throw new OciUnpackError('USAGE', 'A read is not within the file.', {
    facts: { expected: `at most ${size} bytes`, found: `${length} bytes from ${offset} on` }
  })
}
