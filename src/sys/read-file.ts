/** Reading a small file by a directory handle. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { ByteString } from '../bytes.ts'
import { SyscallError } from './failure.ts'
import { readRest } from './read.ts'

/**
 * The content of a regular file in an open directory; the name is not followed and a FIFO does not block.
 * Undefined for anything else than a regular file of at most `maxBytes`.
 */
export function readRegularFile(
  directory: number,
  name: ByteString,
  maxBytes: number
): ByteString | undefined {
  const path = Buffer.from(`/proc/self/fd/${directory}/${name}`, 'latin1')
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    throw new SyscallError(
      (error as NodeJS.ErrnoException).code ?? 'EIO',
      `openat("${name}")`,
      name
    )
  }
  try {
    const found = fstatSync(fd)
    return found.isFile() && found.size <= maxBytes ? readRest(fd).toString('latin1') : undefined
  } finally {
    closeSync(fd)
  }
}
