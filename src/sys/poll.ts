/** Waiting for a descriptor. */
import { failed, failedWith } from './failed-call.ts'
import { libcCalls as libc } from './libc.ts'
import { structure } from './memory.ts'

export const POLLIN = 1
export const POLLOUT = 4

/** Waits for an event, or the end. `timeout` in milliseconds. Returns whether it came; a signal ends the waiting, too. */
export function waitFor(fd: number, event: number, timeout: number): boolean {
  const view = structure.view()
  view.writeInt32LE(fd, 0)
  view.writeInt16LE(event, 4)
  view.writeInt16LE(0, 6)
  const ready = libc.poll(structure.address, 1, timeout)
  if (ready >= 0) return ready > 0
  if (failedWith('EINTR')) return false
  throw failed('poll', undefined, fd)
}
