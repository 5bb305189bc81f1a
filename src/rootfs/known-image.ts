/** An EROFS image that is probably there already: it is compared with what would be written, byte by byte. */
import type { ByteString } from '../bytes.ts'
import { BLOCK } from '../erofs/format.ts'
import { close, openFile } from '../sys/files.ts'
import { renameOver } from '../sys/names.ts'
import { readFully } from '../sys/read.ts'
import { status } from '../sys/status.ts'
import { copyBody } from './copy-body.ts'
import { NewImage, type ImageOutput } from './write-erofs.ts'

/** How much is read at a time, in bytes. */
const WINDOW = 1 << 18
const ZEROS = Buffer.alloc(65_536)

/**
 * Leaves the file as it is if it is the image. Otherwise another file takes its place, which begins with a copy of what
 * was right.
 */
export class KnownImage implements ImageOutput {
  private readonly directory: number
  private readonly name: ByteString
  private readonly fd: number
  private readonly window = Buffer.allocUnsafeSlow(WINDOW)
  private windowStart = 0
  private windowEnd = 0
  /** Up to here, the file is right, but for its header. */
  private position: number = BLOCK
  private other: NewImage | undefined

  /** @param directory private to this process @throws SyscallError */
  constructor(directory: number, name: ByteString) {
    this.directory = directory
    this.name = name
    this.fd = openFile(directory, name)
  }

  write(bytes: Buffer, start: number, end: number, position: number): void {
    if (this.other === undefined) {
      if (this.hasZeros(position) && this.has(bytes, start, end, position)) {
        this.position = position + end - start
        return
      }
      this.other = this.begin()
    }
    this.other.write(bytes, start, end, position)
  }

  finish(header: Buffer, length: number): boolean {
    const isRight =
      this.other === undefined &&
      status(this.fd, '').size === length &&
      this.hasZeros(length) &&
      this.has(header, 0, header.length, 0)
    if (isRight) return true
    this.other ??= this.begin()
    this.other.finish(header, length)
    renameOver(this.directory, this.otherName, this.directory, this.name)
    return false
  }

  close(): void {
    this.other?.close()
    close(this.fd)
  }

  private get otherName(): ByteString {
    return `${this.name}.new`
  }

  private begin(): NewImage {
    const image = NewImage.make(this.directory, this.otherName)
    try {
      copyBody(this.fd, image.fd, this.position)
      return image
    } catch (error) {
      image.close()
      throw error
    }
  }

  /** Whether there are only zeros from where the file is right to another position. */
  private hasZeros(end: number): boolean {
    for (let at = this.position; at < end; at += ZEROS.length)
      if (!this.has(ZEROS, 0, Math.min(ZEROS.length, end - at), at)) return false
    return true
  }

  private has(bytes: Buffer, start: number, end: number, position: number): boolean {
    for (let from = start; from < end;) {
      const at = this.look(position + from - start)
      const length = Math.min(end - from, this.windowEnd - this.windowStart - at)
      if (length <= 0 || bytes.compare(this.window, at, at + length, from, from + length) !== 0)
        return false
      from += length
    }
    return true
  }

  /** Where the window has the byte at a position; behind its end if the file is shorter. */
  private look(position: number): number {
    if (position < this.windowStart || position >= this.windowEnd) {
      this.windowStart = position
      this.windowEnd = position + readFully(this.fd, this.window, WINDOW, position)
    }
    return position - this.windowStart
  }
}
