/** Reads files of images and layouts by their paths. */
import { closeSync, fstatSync, lstatSync, statSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import {
  openRegularFile,
  openRegularFileWithin,
  type Links,
  type RegularFile
} from '../sys/open-regular.ts'
import { read } from '../sys/read.ts'

/** Why a path could not be opened as a regular file. */
export type NotRegular = 'missing' | 'symlink' | 'not a regular file'

/**
 * A regular file, open for reading; the caller closes it.
 * @throws SYSCALL_FAILED for failures that do not depend on the kind of file (permission, too many open files)
 */
export function openRegular(path: string, links: Links): RegularFile | NotRegular {
  try {
    return openRegularFile(path, links) ?? 'not a regular file'
  } catch (error) {
    return notRegular(error as NodeJS.ErrnoException, path)
  }
}

/** Why a link could not be opened as a regular file. */
export type NotLinked =
  | 'a link to a missing file'
  | 'a link to something that is not a regular file'
  | 'a link that leads out of the layout'
  | 'links that lead in a circle'

/** As `openRegular`, for a link that may lead to any place below the directory. @throws SYSCALL_FAILED */
export function openLinked(path: string, directory: string): RegularFile | NotLinked {
  try {
    const file = openRegularFileWithin(path, directory)
    if (file === 'outside') return 'a link that leads out of the layout'
    return file ?? 'a link to something that is not a regular file'
  } catch (error) {
    const found = notRegular(error as NodeJS.ErrnoException, path)
    return found === 'symlink' ? 'links that lead in a circle' : 'a link to a missing file'
  }
}

/**
 * The whole content of a small regular file. A symlink is followed. Never reads more than `limit` bytes, even if the
 * file grows meanwhile.
 * @throws LIMIT_EXCEEDED
 */
export function readSmallFile(path: string, limit: number): Buffer | NotRegular {
  const file = openRegular(path, 'followed')
  if (typeof file === 'string') return file
  try {
    return readUpTo(file.fd, limit, path)
  } finally {
    closeSync(file.fd)
  }
}

/** Links are followed. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Whether there is anything at a path; links are not followed. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** The error for a document that is larger than the limit; `size` in bytes. */
export function documentTooLarge(file: string, size: number, limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'A document of the image is too large.', {
    facts: { file, expected: `at most ${limit} bytes`, found: `${size} bytes` },
    hint: 'Raise {limits.jsonBytes} if you trust the image.'
  })
}

function readUpTo(fd: number, limit: number, path: string): Buffer {
  const chunks: Buffer[] = []
  let size = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024)
    const length = pread(fd, chunk, chunk.length, size, path)
    if (length === 0) return Buffer.concat(chunks)
    size += length
    if (size > limit) throw documentTooLarge(path, Math.max(size, fstatSync(fd).size), limit)
    chunks.push(chunk.subarray(0, length))
  }
}

/** Reads bytes from a position into the buffer. Returns their number, 0 at the end. @throws SYSCALL_FAILED */
export function pread(
  fd: number,
  buffer: Buffer,
  length: number,
  position: number,
  path: string
): number {
  return attempt('pread', path, () => read(fd, buffer, 0, length, position))
}

/** Runs an operation of node:fs and turns its errors into SYSCALL_FAILED. */
export function attempt<T>(call: string, path: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw systemError(call, path, error)
  }
}

function notRegular(error: NodeJS.ErrnoException, path: string): NotRegular {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'missing'
    case 'ELOOP':
      return 'symlink'
    case 'ENXIO': // a socket, or a device without a driver
      return 'not a regular file'
    default:
      throw systemError('open', path, error)
  }
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'Check who owns the file, and who may read it or write to it.'],
  ['EROFS', 'Copy it to a place that can be written to.'],
  ['ENOSPC', 'Free some space on its file system.']
])

/** Node's message reads `ENOENT: no such file or directory, open '/path'`. */
function systemError(call: string, path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'code' in cause)) return cause
  const code = String(cause.code)
  const sentence = /^\w+: (.*?), /.exec(cause.message)?.[1] ?? cause.message
  const hint = HINTS.get(code)
  return new OciUnpackError('SYSCALL_FAILED', `The call ${call} failed: ${sentence}.`, {
    facts: { path, call: `${call} = ${code}` },
    ...(hint === undefined ? {} : { hint }),
    cause
  })
}
