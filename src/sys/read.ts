/** Reads descriptors of node:fs, which repeats every interrupted call except read(2). Loads no native code. */
import { closeSync, openSync, readSync } from 'node:fs'

/** Like `readSync`: reads some bytes into the buffer, 0 at the end; without a position, from the file's offset. */
export function read(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number | null
): number {
  for (;;)
    try {
      return readSync(fd, buffer, offset, length, position)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINTR') throw error
    }
}

/** Reads up to `length` bytes from the position, as many as there are. Returns their number. */
export function readFully(fd: number, buffer: Buffer, length: number, position: number): number {
  let done = 0
  while (done < length) {
    const taken = read(fd, buffer, done, length - done, position + done)
    if (taken === 0) break
    done += taken
  }
  return done
}

const CHUNK = 65_536

/** Everything from the file's offset on. */
export function readRest(fd: number): Buffer {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK)
    const length = read(fd, chunk, 0, CHUNK, null)
    if (length === 0) return Buffer.concat(chunks)
    chunks.push(chunk.subarray(0, length))
  }
}

/** The whole content of a file, by a path of the operator or of the system. */
export function readFile(path: string | URL): Buffer {
  const fd = openSync(path, 'r')
  try {
    return readRest(fd)
  } finally {
    closeSync(fd)
  }
}
