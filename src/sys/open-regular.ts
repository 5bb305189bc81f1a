/** Opens files whose type is unknown, without ever blocking (a FIFO would). Loads no native code. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'

/** How a symbolic link as the last component is treated. */
export type Links = 'followed' | 'refused'

/** A regular file, open for reading, and its size in bytes. The caller closes it. */
export interface RegularFile {
  fd: number
  size: number
}

/** Undefined if it is not a regular file. Throws errors of node:fs. */
export function openRegularFile(path: string | Buffer, links: Links): RegularFile | undefined {
  const fd = openWithoutBlocking(path, links)
  const stat = fstatSync(fd)
  if (stat.isFile()) return { fd, size: stat.size }
  closeSync(fd)
  return undefined
}

/** Anything, opened for reading. libuv adds O_CLOEXEC. Throws errors of node:fs. */
export function openWithoutBlocking(path: string | Buffer, links: Links): number {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants
  return openSync(path, O_RDONLY | O_NONBLOCK | (links === 'refused' ? O_NOFOLLOW : 0))
}
