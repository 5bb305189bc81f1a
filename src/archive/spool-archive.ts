/**
 * What is in a compressed archive can only be found in the uncompressed one, so that goes to a temporary file. The file
 * has no name, so nothing is left of it even if this process is killed.
 */
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { startChild } from '../codec/child.ts'
import { probeDecompressors } from '../codec/choice.ts'
import type { PackedFormat } from '../codec/content.ts'
import { decompress } from '../codec/decompress.ts'
import { findOnPath } from '../codec/programs.ts'
import { aborted, OciUnpackError, withHint } from '../errors.ts'
import { attempt, pread } from '../store/file.ts'
import { TMPDIR_HINT } from '../store/temporary-space.ts'
import type { RegularFile } from '../sys/open-regular.ts'
import { privateName } from '../workspace/private-name.ts'

/** The uncompressed archive, open until it is closed. */
export interface UnpackedArchive {
  fd: number
  close(): void
}

const CHUNK_BYTES = 1024 * 1024

/** As for layers: gzip cannot exceed 1032, and nothing that is stored in earnest does. */
const MAX_RATIO = 1100
const ALWAYS_ALLOWED_BYTES = 4 * 1024 ** 3

const PACKAGES = { xz: 'xz-utils (Debian, Ubuntu) or xz (others)', bzip2: 'bzip2' } as const

/** @throws what `withUnpackedArchive` throws */
export function spoolArchive(
  file: RegularFile,
  path: string,
  format: PackedFormat,
  signal: AbortSignal | undefined
): Promise<UnpackedArchive> {
  return spool(unpackedChunks(file, path, format, signal), limitOf(file))
}

/** How large the uncompressed archive may be, in bytes. */
export function limitOf({ size }: RegularFile): number {
  return Math.max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * size)
}

/**
 * The uncompressed archive in chunks, each valid until the next.
 * @throws DECOMPRESSOR_UNAVAILABLE, DECOMPRESSOR_FAILED, COMPRESSION_INVALID, SYSCALL_FAILED, ABORTED
 */
export function unpackedChunks(
  file: RegularFile,
  path: string,
  format: PackedFormat | 'none',
  signal: AbortSignal | undefined
): AsyncIterable<Buffer> {
  const isAborted = (): boolean => signal?.aborted === true
  if (format === 'xz' || format === 'bzip2') return byProgram(format, file.fd, isAborted)
  const control = { aborted: isAborted }
  const input = { ...file, read: reader(file.fd, path) }
  return decompress(input, format, probeDecompressors('auto', process.env), control)
}

function reader(fd: number, path: string): () => Buffer | undefined {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  let position = 0
  return () => {
    const length = pread(fd, buffer, CHUNK_BYTES, position, path)
    position += length
    return length === 0 ? undefined : buffer.subarray(0, length)
  }
}

/** No decoder for these formats is part of this program. */
async function* byProgram(
  name: keyof typeof PACKAGES,
  fd: number,
  isAborted: () => boolean
): AsyncGenerator<Buffer> {
  const path = findOnPath(name, process.env.PATH)
  if (path === undefined) throw unavailable(name)
  const idle = (): void => {
    if (isAborted()) throw aborted()
  }
  const child = startChild({ path, args: ['-dc'] }, fd)
  try {
    for (let chunk = await child.next(idle); chunk.length > 0; chunk = await child.next(idle)) {
      idle()
      yield chunk
    }
    const exit = await child.ended(idle)
    if (exit.kind === 'not-started') throw failed(path, exit.reason)
    if (exit.kind === 'failed') throw damaged(name, exit.reason)
  } finally {
    await child.stop()
  }
}

/** @param limit bytes @throws LIMIT_EXCEEDED, SYSCALL_FAILED, and what the chunks throw */
export async function spool(
  chunks: AsyncIterable<Buffer>,
  limit: number
): Promise<UnpackedArchive> {
  const fd = openUnnamed()
  try {
    for await (const chunk of limited(chunks, limit)) {
      writeAll(fd, chunk)
      await turn()
    }
    return { fd, close: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** @param limit bytes @throws LIMIT_EXCEEDED, and what the chunks throw */
export async function* limited(
  chunks: AsyncIterable<Buffer>,
  limit: number
): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of chunks) {
    total += chunk.length
    if (total > limit) throw tooLarge(limit)
    yield chunk
  }
}

/** Lets signals be delivered, since inflating and writing are synchronous. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function writeAll(fd: number, chunk: Buffer): void {
  try {
    for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause
    throw new OciUnpackError(
      'SYSCALL_FAILED',
      'There is no space for a temporary copy of the archive.',
      {
        facts: { path: tmpdir(), call: `write = ${code}` },
        hint: 'Set TMPDIR to a directory on a file system with more space, or decompress the archive first.',
        cause
      }
    )
  }
}

/** Not in node:fs. */
const O_TMPFILE = 0o20200000

/** A file that never had a name; on file systems without those, one that loses its name at once. */
function openUnnamed(): number {
  const directory = tmpdir()
  try {
    return openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600)
  } catch {
    const path = `${directory}/${privateName('')}`
    const fd = openNamed(path)
    unlinkSync(path)
    return fd
  }
}

function openNamed(path: string): number {
  try {
    return attempt('open', path, () => openSync(path, 'wx+', 0o600))
  } catch (error) {
    throw withHint(error, TMPDIR_HINT)
  }
}

function unavailable(name: keyof typeof PACKAGES): OciUnpackError {
  return new OciUnpackError('DECOMPRESSOR_UNAVAILABLE', `The program ${name} is not installed.`, {
    facts: { path: name, reason: `the archive is compressed with ${name}` },
    hint: `Install the package ${PACKAGES[name]}, or decompress the archive on another machine.`
  })
}

function failed(path: string, reason: string): OciUnpackError {
  return new OciUnpackError('DECOMPRESSOR_FAILED', `The decompressor ${path} failed.`, {
    facts: { path, reason }
  })
}

function damaged(name: string, reason: string): OciUnpackError {
  return new OciUnpackError('COMPRESSION_INVALID', `The ${name} data is damaged.`, {
    facts: { reason }
  })
}

function tooLarge(limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'The archive unpacks to much more than its size.', {
    facts: { expected: `at most ${limit} bytes` },
    hint: 'If you trust the archive, decompress it first.'
  })
}
