/** Reading from a pipe without blocking. */
import { setImmediate } from 'node:timers/promises'
import { readAvailable, waitReadable } from '../sys/pipe.ts'

/**
 * Fills the buffer from a pipe that does not block; less only at the end. `idle` is called when there was nothing to
 * read for a while; what it throws comes out.
 */
export async function fill(fd: number, buffer: Buffer, idle: () => void): Promise<Buffer> {
  let length = 0
  while (length < buffer.length) {
    const count = readAvailable(fd, buffer, length)
    if (count === 0) break
    if (count !== undefined) length += count
    else if (!waitReadable(fd, PATIENCE_MS)) await rest(idle)
  }
  return buffer.subarray(0, length)
}

/** A program that is silent for so long may wait for us to read its standard error, or somebody wants to stop. */
const PATIENCE_MS = 20

/** A turn of the event loop takes in standard error and the program's end. */
async function rest(idle: () => void): Promise<void> {
  await setImmediate()
  idle()
}
