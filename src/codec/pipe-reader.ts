import { readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

/**
 * Fills the buffer from a pipe that does not block; less only at the end. `idle` is called while there is nothing
 * to read; what it throws comes out.
 */
export async function fill(fd: number, buffer: Buffer, idle: () => void): Promise<Buffer> {
  let length = 0
  while (length < buffer.length) {
    const count = readSome(fd, buffer, length)
    if (count === 0) break
    if (count === undefined) await rest(idle)
    else length += count
  }
  return buffer.subarray(0, length)
}

/** Undefined where nothing is there yet. */
function readSome(fd: number, buffer: Buffer, offset: number): number | undefined {
  try {
    return readSync(fd, buffer, offset, buffer.length - offset, null)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}

/** Within it a fast program fills a quarter of the pipe, so it never waits for us. */
const REST_MS = 0.25
const never = new Int32Array(new SharedArrayBuffer(4))

/**
 * A turn of the event loop takes in standard error and the program's end; then this thread sleeps. libuv's own
 * reads are as fast alone, but up to a fifth slower where two layers share two cores.
 */
async function rest(idle: () => void): Promise<void> {
  await setImmediate()
  idle()
  Atomics.wait(never, 0, 0, REST_MS)
}
