/** Reads small files in open directories. */
import { closeSync } from 'node:fs'
import type { ByteString } from '../bytes.ts'
import { SyscallError } from './failure.ts'
import { openRegularFile, type RegularFile } from './open-regular.ts'
import { readRest } from './read.ts'

/**
 * The content of a regular file in an open directory. Does not follow a link and does not block on a FIFO. Undefined
 * for anything but a regular file of at most `maxBytes`.
 */
export function readRegularFile(
  directory: number,
  name: ByteString,
  maxBytes: number
): ByteString | undefined {
  const file = open(directory, name)
  if (file === undefined) return undefined
  try {
    return file.size <= maxBytes ? readRest(file.fd).toString('latin1') : undefined
  } finally {
    closeSync(file.fd)
  }
}

function open(directory: number, name: ByteString): RegularFile | undefined {
  try {
    return openRegularFile(Buffer.from(`/proc/self/fd/${directory}/${name}`, 'latin1'), 'refused')
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException
    throw new SyscallError(code, `openat("${name}")`, name)
  }
}
