/** Files of an image that are read at any offset. */
import { closeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { OciUnpackError } from '../../errors.ts'
import { inTemporary } from '../../store/temporary-space.ts'
import { openFile } from '../../sys/files.ts'
import { readFully } from '../../sys/read.ts'
import type { ImageJob } from '../extract/job.ts'
import { normalizeImage, type ImageOptions } from '../extract/unpack-options.ts'
import { asked } from '../operation/asked.ts'
import { requireOptions } from '../operation/required-options.ts'
import { findFiles } from './find-files.ts'
import { holdImage } from './held-image.ts'
import { bytesOf, kindOfPath, regularFile } from './regular-file.ts'
import { entryOf, spoolBodies } from './spool-bodies.ts'
import { withTemporaryDirectory } from './temporary-directory.ts'

/** A regular file of the merged tree of an image, opened for reading at any offset. */
export interface ImageFile {
  /** In bytes. */
  readonly size: number
  /**
   * Fills `target` from `offset`; may be called several times at once. Never gives bytes that were not verified.
   * @throws OciUnpackError USAGE past the end of the file
   */
  read(target: Uint8Array, offset: number): Promise<void>
  /**
   * Alternating data and holes from `offset`, clipped to `length`; what is only zeros counts as a hole if that is known.
   * Adjacent pieces of one kind are joined. Lengths are in bytes.
   */
  extents(offset: number, length: number): Promise<readonly FileExtent[]>
  /** Releases the image. May be called again. */
  close(): Promise<void>
}

export interface FileExtent {
  /** In bytes. */
  length: number
  hole: boolean
}

export interface ImageFileOptions extends ImageOptions {
  /** Path in the image; links are followed inside the image only. */
  path: string | Uint8Array
  /** The directory of indexes; default: in the user's cache. */
  index?: string
}

/** @throws OciUnpackError with a stable `code` */
export async function openImageFile(options: ImageFileOptions): Promise<ImageFile> {
  requireOptions(options, { image: 'text', path: kindOfPath(options) })
  return asked({ image: options.image }, async () => {
    const held = await holdImage(options.image, normalizeImage(options), (job) =>
      openIn(job, options)
    )
    const { size, fd } = held.value
    let closing: Promise<void> | undefined
    const close = (): Promise<void> => {
      if (closing === undefined) closeSync(fd)
      closing ??= held.release()
      return closing
    }
    return {
      size,
      close,
      read: (target, offset) =>
        asked({ image: options.image }, () => {
          assertWithin(size, offset, target.length)
          const buffer = Buffer.from(target.buffer, target.byteOffset, target.byteLength)
          readFully(fd, buffer, buffer.length, offset)
        }),
      extents: (offset, length) =>
        asked({ image: options.image }, () => {
          assertWithin(size, offset, length)
          return length === 0 ? [] : [{ length, hole: false }]
        })
    }
  })
}

/** The content of a file from `start` to `end` (exclusive; default its size), in bytes. Does not close the file. */
export function imageFileStream(
  file: ImageFile,
  { start = 0, end = file.size }: { start?: number; end?: number } = {}
): Readable {
  return Readable.from(pieces(file, start, end), { objectMode: false })
}

const PIECE = 1 << 18

async function* pieces(file: ImageFile, start: number, end: number): AsyncGenerator<Buffer> {
  for (let offset = start; offset < end; offset += PIECE) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, end - offset))
    await file.read(piece, offset)
    yield piece
  }
}

function assertWithin(size: number, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= size) return
  throw new OciUnpackError('USAGE', 'A read is not within the file.', {
    facts: { expected: `at most ${size} bytes`, found: `${length} bytes from ${offset} on` }
  })
}

async function openIn(
  job: ImageJob,
  options: ImageFileOptions
): Promise<{ size: number; fd: number }> {
  const path = bytesOf(options.path)
  const [found] = await findFiles(job, [path], 'follow')
  const inode = regularFile(path, found!)
  const { size } = entryOf(inode)
  return withTemporaryDirectory(job.settings.onEvent, async (directory) => {
    await inTemporary(undefined, () => spoolBodies(job, directory, new Map([[inode, 'body']])))
    return { size, fd: openFile(directory, 'body') }
  })
}
