/** Copying the content of a file. */
import { copyFileRange, seekData, seekHole, seekTo } from '../sys/copy.ts'
import { readInto, truncate, writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'
import { BODY_CHUNK } from './read-body.ts'

/**
 * Copies the content of one open file into a new one in the cheapest possible way: by sharing blocks, in the kernel, or
 * by reading and writing. Holes stay holes.
 */
export function copyBody(from: number, to: number, size: number): void {
  for (let start = seekData(from, 0); start !== undefined && start < size;) {
    const end = Math.min(size, seekHole(from, start))
    copyExtent(from, to, start, end)
    start = seekData(from, end)
  }
  truncate(to, size)
}

function copyExtent(from: number, to: number, start: number, end: number): void {
  seekTo(from, start)
  seekTo(to, start)
  for (let at = start; at < end;) {
    const copied = copyFileRange(from, to, end - at)
    if (copied === undefined) {
      pump(from, to, at, end)
      return
    }
    if (copied === 0) return
    at += copied
  }
}

/** Copies through this process: between file systems of different kinds the kernel may refuse to copy. */
function pump(from: number, to: number, start: number, end: number): void {
  const buffer = Buffer.allocUnsafeSlow(Math.min(BODY_CHUNK, end - start))
  const address = addressOf(buffer)
  for (let at = start; at < end;) {
    const length = readInto(from, buffer.subarray(0, Math.min(buffer.length, end - at)))
    if (length === 0) return
    writeAllAt(to, address, length, at)
    at += length
  }
}
