/** A file of the operator as bytes: a regular file, or what comes out of a pipe or device until it ends. */
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  unlinkSync,
  writeSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTemporary } from '../../store/temporary-space.ts'
import { openWithoutBlocking } from '../../sys/open-regular.ts'
import { readAvailable, waitReadable } from '../../sys/pipe.ts'
import { heedSignals } from '../operation/abort.ts'

export interface ArchiveInput {
  /** `file`: can be read again from its start. `stream`: only once. */
  kind: 'file' | 'stream'
  fd: number
  close(): void
}

/** How often a stop is noticed while nothing arrives. */
const PATIENCE_MS = 20
const CHUNK = 1024 * 1024
/** Enough to recognise a compression. */
export const HEAD_BYTES = 512

/** Undefined for a directory. Throws errors of node:fs. */
export function openArchiveInput(path: string): ArchiveInput | undefined {
  const { fd, close } = openAny(path)
  const status = fstatSync(fd)
  if (status.isDirectory()) {
    close()
    return undefined
  }
  return { kind: status.isFile() ? 'file' : 'stream', fd, close }
}

/** What a stream gives, as it arrives; each chunk is valid until the next. @throws ABORTED, SYSCALL_FAILED */
export async function* arriving(
  fd: number,
  signal: AbortSignal | undefined
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK)
  for (;;) {
    while (!waitReadable(fd, PATIENCE_MS)) await heedSignals(signal)
    const length = readAvailable(fd, buffer, 0)
    if (length === 0) return
    if (length !== undefined) yield buffer.subarray(0, length)
  }
}

/** The first bytes of a stream in one piece, so that they can be recognised, then the rest. */
export async function* headFirst(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    if (head.length >= HEAD_BYTES) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length >= HEAD_BYTES) yield head
  }
  if (head.length > 0 && head.length < HEAD_BYTES) yield head
}

/** The same bytes in a file without a name, which is gone when it is closed. */
export function spooled(chunks: AsyncIterable<Buffer>): Promise<ArchiveInput> {
  return inTemporary(undefined, () => spool(chunks))
}

async function spool(chunks: AsyncIterable<Buffer>): Promise<ArchiveInput> {
  const fd = openNameless()
  try {
    let size = 0
    for await (const chunk of chunks)
      for (let at = 0; at < chunk.length;) {
        const written = writeSync(fd, chunk, at, chunk.length - at, size)
        at += written
        size += written
      }
    return { kind: 'file', fd, close: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openNameless(): number {
  const directory = mkdtempSync(join(tmpdir(), 'oci-unpack-'))
  try {
    const path = join(directory, 'archive')
    const fd = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return fd
  } finally {
    rmdirSync(directory)
  }
}

/** Standard input cannot be opened by its name if it is a socket, but it can be read. */
function openAny(path: string): { fd: number; close: () => void } {
  try {
    const fd = openWithoutBlocking(path, 'followed')
    return { fd, close: () => closeSync(fd) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO' || !STANDARD_INPUT.test(path)) throw error
    return { fd: 0, close: () => undefined }
  }
}

const STANDARD_INPUT = /^\/(?:dev\/(?:stdin|fd\/0)|proc\/self\/fd\/0)$/
