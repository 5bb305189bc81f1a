/** Reading files that an image brings, safely. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import { read } from '../sys/read.ts'

/** Nothing that an image brings may block us (a FIFO) or lead us elsewhere (a symlink). libuv adds O_CLOEXEC. */
const SAFELY = constants.O_RDONLY | constants.O_NONBLOCK

/** Why a path could not be opened as a regular file. */
export type NotRegular = 'missing' | 'symlink' | 'not a regular file'

/**
 * A regular file, open for reading; the caller closes it. A symlink as last component is followed only where said.
 * @throws SYSCALL_FAILED for what has nothing to do with the kind of file (permission, too many files).
 */
export function openRegular(
  path: string,
  follow: boolean
): { fd: number; size: number } | NotRegular {
  const fd = open(path, follow ? SAFELY : SAFELY | constants.O_NOFOLLOW)
  if (typeof fd === 'string') return fd
  const stat = fstatSync(fd)
  if (stat.isFile()) return { fd, size: stat.size }
  closeSync(fd)
  return 'not a regular file'
}

/**
 * The whole of a small regular file, a symlink followed; at most `limit` bytes (else LIMIT_EXCEEDED), also where
 * the file grows while it is read.
 */
export function readSmallFile(path: string, limit: number): Buffer | NotRegular {
  const file = openRegular(path, true)
  if (typeof file === 'string') return file
  try {
    return readUpTo(file.fd, limit, path)
  } finally {
    closeSync(file.fd)
  }
}

/** The error for a document that is larger than the limit; `size` in bytes. */
export function documentTooLarge(file: string, size: number, limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'A document of the image is too large.', {
    facts: { file, expected: `at most ${limit} bytes`, found: `${size} bytes` },
    hint: 'If you trust the image, unpack it with a higher {limits.jsonBytes}.'
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

/** Bytes from a position into the buffer; how many, 0 at the end. @throws SYSCALL_FAILED. */
export function pread(
  fd: number,
  buffer: Buffer,
  length: number,
  position: number,
  path: string
): number {
  return attempt('pread', path, () => read(fd, buffer, 0, length, position))
}

/** The result of an operation of node:fs; what it throws becomes SYSCALL_FAILED. */
export function attempt<T>(call: string, path: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw systemError(call, path, error)
  }
}

function open(path: string, flags: number): number | NotRegular {
  try {
    return openSync(path, flags)
  } catch (error) {
    return notRegular(error as NodeJS.ErrnoException, path)
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
  ['EACCES', 'Check who owns the layout and who may write to it.'],
  ['EROFS', 'Copy the layout to a place that can be written to.'],
  ['ENOSPC', 'Free some space on the file system of the layout.']
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
