/** Opens files whose type is unknown, without ever blocking (a FIFO would). Loads no native code. */
import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs'
import { handlePath } from './handle-path.ts'

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

/** Not in node:fs: a handle of a file that is not opened, so that a device or FIFO does not notice anything. */
const O_PATH = 0o10000000

/**
 * As `openRegularFile`, but links are followed as long as the file is in the directory or below it. Another user may
 * move links meanwhile: the handle, not the path, decides where the file is. Throws errors of node:fs.
 */
export function openRegularFileWithin(
  path: string,
  directory: string
): RegularFile | 'outside' | undefined {
  const handle = openSync(path, O_PATH)
  try {
    if (!isWithin(handle, directory)) return 'outside'
    return fstatSync(handle).isFile() ? openRegularFile(handlePath(handle), 'followed') : undefined
  } finally {
    closeSync(handle)
  }
}

function isWithin(handle: number, directory: string): boolean {
  const root = openSync(directory, O_PATH | constants.O_DIRECTORY)
  try {
    const place = placeOf(root)
    return placeOf(handle).startsWith(place.endsWith('/') ? place : `${place}/`)
  } finally {
    closeSync(root)
  }
}

function placeOf(handle: number): string {
  return readlinkSync(handlePath(handle), 'latin1')
}
