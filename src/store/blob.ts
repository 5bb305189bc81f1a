/** Reads blobs and verifies them. */
import { closeSync, read as readFile } from 'node:fs'
import { promisify } from 'node:util'
import { digestAlgorithm, finishDigest, type Digest } from '../image/digest.ts'
import { handlePath } from '../sys/handle-path.ts'
import type { RegularFile } from '../sys/open-regular.ts'
import { wholeHash, type StreamHash } from '../sys/stream-hash.ts'
import { ArrivalReader } from './arrival-reader.ts'
import { blobDigestMismatch, blobInvalid, blobNotFound, blobSizeMismatch } from './blob-errors.ts'
import type { BlobSource } from './blob-source.ts'
import { openLinked, openRegular, pread } from './file.ts'

/** A blob that is hashed while it is read. Nothing of it may be trusted before `verify` has returned. */
export interface VerifiedBlob {
  /**
   * The open file, if there is one: regular, read-only, its offset at 0 and never moved by `read`, so an external
   * program can use it as its input at the same time. Undefined in an archive.
   */
  readonly fd: number | undefined
  /** The open file that the blob is, or is a part of; undefined if it is in memory. */
  readonly file: number | undefined
  /** In bytes, according to the descriptor. */
  readonly size: number
  /**
   * The next bytes, at most 1 MiB, valid until the next call; undefined at the end. Never reads past `size` + 1.
   * @throws BLOB_SIZE_MISMATCH if the file has fewer or more bytes than `size`
   */
  read(): Buffer | undefined
  /** The same into memory of the caller, which stays as it is until the next call. Returns the number of bytes. */
  readInto(buffer: Buffer): number
  /** Resolves when `read` does not have to wait for bytes that are still arriving. */
  arrived(): Promise<void>
  /** The first bytes, without reading them yet. */
  peek(): Buffer
  /** Reads the rest, then throws BLOB_SIZE_MISMATCH or BLOB_DIGEST_MISMATCH if it is wrong. May be called again. */
  verify(): void
  /** Releases the file, verified or not. May be called again. */
  close(): void
}

/** 1 MiB: zlib inflates 500 MB/s from such chunks and 205 MB/s from 16 KiB ones. */
const CHUNK = 1024 * 1024

/** The first bytes of any format that is recognised (a tar header). */
const HEAD = 512

/** How far a blob was read and hashed. */
export interface BlobProgress {
  hash: StreamHash
  /** One number: bytes. */
  position: Float64Array
}

function newProgress(digest: Digest): BlobProgress {
  return { hash: wholeHash(digestAlgorithm(digest)), position: new Float64Array(1) }
}

/**
 * Opens a blob without ever blocking.
 * @param progress of a blob that another thread reads in turn with this one
 * @throws BLOB_NOT_FOUND; BLOB_INVALID for a FIFO, directory or device, or a link to anything but a
 * regular file that is within bounds; BLOB_SIZE_MISMATCH if the size of the
 * file already differs; DIGEST_INVALID for an unknown algorithm
 */
export function openBlob(source: BlobSource, progress?: BlobProgress): VerifiedBlob {
  const { hash, position } = progress ?? newProgress(source.digest)
  if (source.data !== undefined)
    return new OpenBlob(source, { hash, position }, memoryInput(source.data))
  if (source.arriving !== undefined)
    return new OpenBlob(source, { hash, position }, arrivingInput(source.arriving))
  if (source.path === undefined) throw blobNotFound(source)
  const file = openBlobFile(source, source.path)
  const input = fileInput(file.fd, source.path, source.section)
  const blob = new OpenBlob(source, { hash, position }, input, file.fd)
  const { length } = source.section ?? { length: file.size }
  if (length === source.size) return blob
  blob.close()
  throw blobSizeMismatch(source, length)
}

/** A blob of which any parts are read. They are not verified. */
export interface BlobParts {
  /** Fewer bytes only at the end of the blob. @throws SYSCALL_FAILED, REGISTRY_* */
  read(offset: number, length: number): Promise<Buffer>
  close(): void
}

/** For a blob that does not arrive from elsewhere. @throws what `openBlob` throws, except BLOB_SIZE_MISMATCH */
export function openParts(source: BlobSource): BlobParts {
  if (source.data !== undefined) {
    const { data } = source
    const part = (offset: number, length: number): Buffer =>
      Buffer.from(data.subarray(offset, offset + length))
    return {
      read: (offset, length) => Promise.resolve(part(offset, length)),
      close: () => undefined
    }
  }
  if (source.path === undefined) throw blobNotFound(source)
  const { fd } = openBlobFile(source, source.path)
  const { offset: from, length: size } = source.section ?? { offset: 0, length: source.size }
  return {
    async read(offset, length) {
      const part = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - offset)))
      const { bytesRead } = await readPart(fd, part, 0, part.length, from + offset)
      return part.subarray(0, bytesRead)
    },
    close: () => closeSync(fd)
  }
}

const readPart = promisify(readFile)

function openBlobFile(source: BlobSource, path: string): RegularFile {
  const file =
    source.fd === undefined
      ? openRegular(path, 'refused')
      : openRegular(handlePath(source.fd), 'followed')
  if (file === 'missing') throw blobNotFound(source)
  const found =
    file === 'symlink' && source.within !== undefined ? openLinked(path, source.within) : file
  if (typeof found === 'string') throw blobInvalid(source, found)
  return found
}

interface Input {
  /** Copies bytes from a position into the buffer. Returns their number, 0 at the end. */
  read(buffer: Buffer, length: number, position: number): number
  /** Resolves when that would not wait. Omitted if it never does. */
  arrived?(length: number, position: number): Promise<void>
}

class OpenBlob implements VerifiedBlob {
  readonly fd: number | undefined
  readonly size: number
  readonly file: number | undefined
  private readonly source: BlobSource
  private readonly input: Input
  private buffer: Buffer | undefined
  private readonly hash: StreamHash
  private readonly position: Float64Array
  private found: Digest | undefined
  private closed = false

  constructor(source: BlobSource, { hash, position }: BlobProgress, input: Input, fd?: number) {
    this.fd = source.section === undefined ? fd : undefined
    this.file = fd
    this.size = source.size
    this.source = source
    this.input = input
    this.hash = hash
    this.position = position
  }

  read(): Buffer | undefined {
    this.buffer ??= Buffer.allocUnsafeSlow(Math.min(CHUNK, this.size + 1))
    const length = this.readInto(this.buffer)
    return length === 0 ? undefined : this.buffer.subarray(0, length)
  }

  readInto(buffer: Buffer): number {
    this.hash.settle()
    const position = this.position[0]!
    const left = this.size - position
    const length = this.input.read(buffer, Math.min(buffer.length, left + 1), position)
    if (length > left) throw blobSizeMismatch(this.source, `more than ${this.size}`)
    if (length === 0 && left > 0) throw blobSizeMismatch(this.source, position)
    this.position[0] = position + length
    this.hash.update(buffer, 0, length)
    return length
  }

  async arrived(): Promise<void> {
    const [position] = this.position
    await this.input.arrived?.(Math.min(CHUNK, this.size + 1 - position!), position!)
  }

  peek(): Buffer {
    const head = Buffer.alloc(Math.min(HEAD, this.size))
    return head.subarray(0, this.input.read(head, head.length, 0))
  }

  verify(): void {
    while (this.found === undefined && this.read() !== undefined);
    this.found ??= finishDigest(this.hash, digestAlgorithm(this.source.digest))
    if (this.found !== this.source.digest) throw blobDigestMismatch(this.source, this.found)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.file !== undefined) closeSync(this.file)
  }
}

function fileInput(fd: number, path: string, section: BlobSource['section']): Input {
  if (section === undefined)
    return { read: (buffer, length, position) => pread(fd, buffer, length, position, path) }
  const { offset, length: size } = section
  return {
    read: (buffer, length, position) =>
      pread(fd, buffer, Math.min(length, size - position), offset + position, path)
  }
}

function arrivingInput(memory: SharedArrayBuffer): Input {
  return new ArrivalReader(memory)
}

function memoryInput(data: Uint8Array): Input {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return {
    read: (buffer, length, position) => bytes.copy(buffer, 0, position, position + length)
  }
}
