/** Writes EROFS images into files. */
import type { ByteString } from '../bytes.ts'
import { BLOCK } from '../erofs/format.ts'
import type { ImageParts } from '../erofs/write-image.ts'
import { flush } from '../sys/durable.ts'
import { close, createFile, truncate, writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'

/** Less the umask. */
export const IMAGE_MODE = 0o644

/** An image without bodies of its own, in a new file, durably. @throws SyscallError */
export function writeNewImage(directory: number, name: ByteString, image: ImageParts): void {
  const fd = createFile(directory, name, IMAGE_MODE)
  try {
    writeImage(fd, image)
  } finally {
    close(fd)
  }
}

/**
 * Adds everything but the bodies, durably. The header comes last: until it is there, nothing takes the file for an image.
 * @throws SyscallError
 */
export function writeImage(
  fd: number,
  { blocks, header, metadata, metadataBlock }: ImageParts
): void {
  truncate(fd, blocks * BLOCK)
  let at = metadataBlock * BLOCK
  for (const piece of metadata) {
    writeAt(fd, piece, at)
    at += piece.length
  }
  writeAt(fd, header, 0)
  flush(fd)
}

function writeAt(fd: number, bytes: Buffer, position: number): void {
  writeAllAt(fd, addressOf(bytes), bytes.length, position)
}
