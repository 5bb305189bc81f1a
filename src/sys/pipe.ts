/** Pipes. */
import { failed, failedWith } from './failed-call.ts'
import { addressOf, libcCalls as libc } from './libc.ts'
import { structure } from './memory.ts'

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

const POLLIN = 1

/** Waits until there is something to read, or the end. Returns whether there is. `timeout` in milliseconds. */
export function waitReadable(fd: number, timeout: number): boolean {
  const view = structure.view()
  view.writeInt32LE(fd, 0)
  view.writeInt16LE(POLLIN, 4)
  view.writeInt16LE(0, 6)
  const ready = libc.poll(structure.address, 1, timeout)
  if (ready >= 0) return ready > 0
  if (failedWith('EINTR')) return false
  throw failed('poll', undefined, fd)
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
