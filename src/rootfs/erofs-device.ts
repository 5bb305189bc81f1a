/** Open files as devices of the EROFS reader. */
import type { ReadableDevice } from '../erofs/read-source.ts'
import { readFully } from '../sys/read.ts'
import { status } from '../sys/status.ts'
import { invalid } from '../erofs/read-source.ts'

/** Metadata is read in small pieces that lie close together. */
const WINDOW = 65_536

/** @throws EROFS_INVALID if it is not a regular file; SyscallError */
export function deviceOf(fd: number): ReadableDevice {
  const { type, size } = status(fd, '')
  if (type !== 'file') throw invalid('it is not a regular file')
  const window = Buffer.allocUnsafeSlow(WINDOW)
  let start = 0
  let end = 0
  return {
    length: size,
    read(offset, length) {
      if (length > WINDOW) {
        const bytes = Buffer.alloc(length)
        return bytes.subarray(0, readFully(fd, bytes, length, offset))
      }
      if (offset < start || offset + length > end) {
        start = offset
        end = offset + readFully(fd, window, WINDOW, offset)
      }
      const bytes = window.subarray(offset - start, Math.min(offset - start + length, end - start))
      return Uint8Array.prototype.slice.call(bytes)
    }
  }
}
