/** The content of one file of an image. */
import { tmpdir } from 'node:os'
import { display, fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { Inode } from '../plan/tree.ts'
import { inTemporary } from '../store/temporary-space.ts'
import { close, openFile, openOperatorDirectory, readInto } from '../sys/files.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { makeWay } from '../workspace/leftovers.ts'
import { makePrivateDirectory } from '../workspace/private-directory.ts'
import { privateName } from '../workspace/private-name.ts'
import { normalizeImage, type ImageOptions } from './extract/unpack-options.ts'
import { findFiles, type FoundFile } from './files/find-files.ts'
import { spoolBodies } from './files/spool-bodies.ts'
import { withImage } from './transfer/with-image.ts'
import { bytesOf } from './list-files.ts'
import { throwIfAborted, untilAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { leftoverTo } from './operation/leftover.ts'
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
      await withPrivateDirectory(job.settings.onEvent, async (directory) => {
        await inTemporary(undefined, () => spoolBodies(job, directory, new Map([[inode, BODY]])))
        await give(directory, options)
      })
    })
  )
}

function kindOfPath(options: Partial<CatFileOptions> | undefined): 'text' | 'object' {
  return options?.path instanceof Uint8Array ? 'object' : 'text'
}

const BODY = 'body'

function regularFile(path: ByteString, { node }: FoundFile): Inode {
  const type = node.kind === 'directory' ? 'directory' : node.inode.type
  if (node.kind === 'leaf' && type === 'file') return node.inode
  throw new OciUnpackError('PATH_INVALID', 'Only a regular file has content.', {
    facts: { entry: display(path), expected: 'file', found: type }
  })
}

/** Among the temporary files; what killed runs left there is removed. */
async function withPrivateDirectory(
  onEvent: OnEvent,
  act: (directory: number) => Promise<void>
): Promise<void> {
  const path = tmpdir()
  const parent = openOperatorDirectory(fromText(path))
  try {
    makeWay(parent, path, leftoverTo(onEvent))
    const directory = makePrivateDirectory(parent, () => privateName(''), PRIVATE_MODE)
    try {
      await act(directory.fd)
    } finally {
      directory.remove()
    }
  } finally {
    close(parent)
  }
}

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
