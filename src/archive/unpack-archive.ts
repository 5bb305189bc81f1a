/** Archives that are compressed as a whole (`.tar.gz`, `.tar.xz`). Loads what inflates only if it is needed. */
import { closeSync } from 'node:fs'
import { packedWith, type PackedFormat } from '../codec/content.ts'
import { OciUnpackError, withFacts } from '../errors.ts'
import { openRegular, pread } from '../store/file.ts'
import type { RegularFile } from '../sys/open-regular.ts'
import type { UnpackedArchive } from './spool-archive.ts'

const HEAD_BYTES = 512

/**
 * Calls `open` with the uncompressed archive, or with undefined if the archive is not compressed, or is none. The
 * uncompressed one is closed if that throws.
 * @throws DECOMPRESSOR_UNAVAILABLE, DECOMPRESSOR_FAILED, COMPRESSION_INVALID, LIMIT_EXCEEDED, SYSCALL_FAILED, ABORTED
 */
export async function withUnpackedArchive<T>(
  path: string,
  signal: AbortSignal | undefined,
  open: (unpacked: UnpackedArchive | undefined) => T
): Promise<T> {
  const unpacked = await unpackIfPacked(path, signal)
  try {
    return open(unpacked)
  } catch (error) {
    unpacked?.close()
    throw error
  }
}

async function unpackIfPacked(
  path: string,
  signal: AbortSignal | undefined
): Promise<UnpackedArchive | undefined> {
  const file = openRegular(path, 'followed')
  if (typeof file === 'string') return undefined
  try {
    const format = formatOf(file, path)
    if (format === undefined) return undefined
    const { spoolArchive } = await import('./spool-archive.ts')
    return await spoolArchive(file, path, format, signal)
  } catch (error) {
    throw withFacts(damagedArchive(error), { file: path })
  } finally {
    closeSync(file.fd)
  }
}

function formatOf({ fd }: RegularFile, path: string): PackedFormat | undefined {
  const head = Buffer.alloc(HEAD_BYTES)
  return packedWith(head.subarray(0, pread(fd, head, HEAD_BYTES, 0, path)))
}

/** The error of a decoder, which speaks of layers, as that of an archive. */
export function damagedArchive(error: unknown): unknown {
  if (!(error instanceof OciUnpackError) || error.code !== 'COMPRESSION_INVALID') return error
  return new OciUnpackError('COMPRESSION_INVALID', 'The archive cannot be decompressed.', {
    facts: error.facts,
    hint: 'The archive is damaged or not complete. Copy it or save the image again.',
    cause: error
  })
}
