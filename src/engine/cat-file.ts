/** The content of one file of an image. */
import { inTemporary } from '../store/temporary-space.ts'
import { close, openFile, readInto } from '../sys/files.ts'
import { normalizeImage, type ImageOptions } from './extract/unpack-options.ts'
import { findFiles } from './files/find-files.ts'
import { bytesOf, kindOfPath, regularFile } from './files/regular-file.ts'
import { spoolBodies } from './files/spool-bodies.ts'
import { withTemporaryDirectory } from './files/temporary-directory.ts'
import { withImage } from './transfer/with-image.ts'
import { throwIfAborted, untilAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'

export interface CatFileOptions extends ImageOptions {
  /** Path in the image; links are followed inside the image only. */
  path: string | Uint8Array
  /** Takes the content piece by piece; each piece is valid until the call returns or its promise resolves. */
  write: (bytes: Uint8Array) => void | Promise<void>
}

/**
 * Passes on the content of a regular file in the merged tree. No more layers are read than necessary. The content is
 * kept in a private temporary file until its layer is verified, so that nothing from a damaged layer is passed on.
 * @throws OciUnpackError with a stable `code`
 */
export async function catFile(options: CatFileOptions): Promise<void> {
  requireOptions(options, { image: 'text', path: kindOfPath(options), write: 'function' })
  const path = bytesOf(options.path)
  await asked({ image: options.image }, () =>
    withImage(options.image, normalizeImage(options), async (job) => {
      const [found] = await findFiles(job, [path], 'follow')
      const inode = regularFile(path, found!)
      await withTemporaryDirectory(job.settings.onEvent, async (directory) => {
        await inTemporary(undefined, () => spoolBodies(job, directory, new Map([[inode, BODY]])))
        await give(directory, options)
      })
    })
  )
}

const BODY = 'body'

const CHUNK = 1 << 18

async function give(directory: number, { write, signal }: CatFileOptions): Promise<void> {
  const fd = openFile(directory, BODY)
  try {
    const buffer = Buffer.allocUnsafe(CHUNK)
    for (let length = readInto(fd, buffer); length > 0; length = readInto(fd, buffer)) {
      await untilAborted(signal, write(buffer.subarray(0, length)))
      throwIfAborted(signal)
    }
  } finally {
    close(fd)
  }
}
