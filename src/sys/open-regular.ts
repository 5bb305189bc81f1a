/** Opens files by paths of which nobody knows what is there: nothing blocks (a FIFO would). Loads no native code. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'

/** What happens to a symbolic link as the last component. */
export type Links = 'followed' | 'refused'

/** A regular file, open for reading, and its size in bytes. The caller closes it. */
export interface RegularFile {
  fd: number
  size: number
}

/** Undefined where something else than a regular file is there. Throws what node:fs throws. */
export function openRegularFile(path: string | Buffer, links: Links): RegularFile | undefined {
  const fd = openWithoutBlocking(path, links)
  const stat = fstatSync(fd)
  if (stat.isFile()) return { fd, size: stat.size }
  closeSync(fd)
  return undefined
}

/** Whatever is there, open for reading. libuv adds O_CLOEXEC. Throws what node:fs throws. */
export function openWithoutBlocking(path: string | Buffer, links: Links): number {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants
  return openSync(path, O_RDONLY | O_NONBLOCK | (links === 'refused' ? O_NOFOLLOW : 0))
}
