/** Pipes. */
import { failed, failedWith } from './failed-call.ts'
import { addressOf, libcCalls as libc } from './libc.ts'
import { structure } from './memory.ts'
import { POLLIN, waitFor } from './poll.ts'

const O_CLOEXEC = 0o2000000
const F_SETPIPE_SZ = 1031

/**
 * A pipe that child processes do not inherit by accident. It holds up to `bytes`, but the kernel may refuse that size.
 */
export function pipe(bytes: number): { read: number; write: number } {
  if (libc.pipe2(structure.address, O_CLOEXEC) < 0) throw failed('pipe2', undefined)
  const view = structure.view()
  const ends = { read: view.readInt32LE(0), write: view.readInt32LE(4) }
  libc.fcntl(ends.write, F_SETPIPE_SZ, bytes)
  return ends
}

/** Waits until there is something to read, or the end. Returns whether there is. `timeout` in milliseconds. */
export function waitReadable(fd: number, timeout: number): boolean {
  return waitFor(fd, POLLIN, timeout)
}

/**
 * Reads from a descriptor that does not block: the number of bytes, 0 at the end, undefined if there is nothing yet.
 */
export function readAvailable(fd: number, buffer: Buffer, offset: number): number | undefined {
  const wanted = buffer.length - offset
  const read = libc.read(fd, addressOf(buffer) + offset, wanted)
  if (read >= 0) return read
  if (failedWith('EAGAIN')) return undefined
  throw failed('read', undefined, fd, wanted)
}
