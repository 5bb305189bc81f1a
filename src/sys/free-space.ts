/** How much space a file system has. */
import { statfsSync } from 'node:fs'
import { handlePath } from './handle-path.ts'

/** Bytes that a user without privileges may still use on the file system of an open file or directory. */
export function freeBytes(fd: number): number {
  const { bavail, bsize } = statfsSync(handlePath(fd))
  return bavail * bsize
}
