/** Reads from a pipe without blocking. */
import { setImmediate } from 'node:timers/promises'
import { readAvailable, waitReadable } from '../sys/pipe.ts'

/**
 * Fills the buffer from a pipe that does not block; reads less only at the end. `idle` is called when there has been
 * nothing to read for a while, and may throw.
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

/**
 * A program that is silent for this long may be waiting for us to read its standard error, or the caller may need to
 * stop.
 */
const PATIENCE_MS = 20

/** One turn of the event loop reads standard error and notices the program's end. */
async function rest(idle: () => void): Promise<void> {
  await setImmediate()
  idle()
}
