/** Writes EROFS images into files. */
import type { ByteString } from '../bytes.ts'
import { BLOCK } from '../erofs/format.ts'
import type { ImageParts } from '../erofs/write-image.ts'
import { flush } from '../sys/durable.ts'
import { close, createFile, truncate, writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'
import { BodyWriter } from './body-writer.ts'

/** Less the umask. */
export const IMAGE_MODE = 0o644

/** Where an image goes. */
export interface ImageOutput {
  /** Bytes `start` to `end` of `bytes` belong at `position` of the image. Positions rise; between them are zeros. */
  write(bytes: Buffer, start: number, end: number, position: number): void
  /**
   * Everything but the header is written. The header comes last: until it is there, nothing takes the file for an image.
   * @param length of the image, in bytes
   * @returns whether this image was there already
   */
  finish(header: Buffer, length: number): boolean
  close(): void
}

/** Writes all of an image but its header, behind the bodies. @throws SyscallError */
export function writeMetadata(
  output: ImageOutput,
  { metadata, metadataBlock }: Pick<ImageParts, 'metadata' | 'metadataBlock'>
): void {
  let at = metadataBlock * BLOCK
  for (const piece of metadata) {
    output.write(piece, 0, piece.length, at)
    at += piece.length
  }
}

/** Writes a whole image to an empty file, durably. @param fd open for writing @throws SyscallError */
export function writeImage(fd: number, image: ImageParts): void {
  const output = new NewImage(fd)
  writeMetadata(output, image)
  output.finish(image.header, image.blocks * BLOCK)
}

/** A new file, durably. */
export class NewImage implements ImageOutput {
  /** Descriptor. */
  readonly fd: number
  private readonly writer = new BodyWriter()

  constructor(fd: number) {
    this.fd = fd
    this.writer.begin(fd, 0)
  }

  /** @throws SyscallError */
  static make(directory: number, name: ByteString): NewImage {
    return new NewImage(createFile(directory, name, IMAGE_MODE))
  }

  write(bytes: Buffer, start: number, end: number, position: number): void {
    this.writer.write(bytes, start, end, position)
  }

  finish(header: Buffer, length: number): boolean {
    truncate(this.fd, length)
    writeAllAt(this.fd, addressOf(header), header.length, 0)
    flush(this.fd)
    return false
  }

  close(): void {
    close(this.fd)
  }
}
