import { failed } from './failure.ts'
import { libcCalls as libc } from './libc.ts'
import { structure } from './memory.ts'

const O_CLOEXEC = 0o2000000
const F_SETPIPE_SZ = 1031

/** A pipe that children do not inherit by accident, holding up to `bytes` (best effort: the kernel may refuse). */
export function pipe(bytes: number): { read: number; write: number } {
  if (libc.pipe2(structure.address, O_CLOEXEC) < 0) throw failed('pipe2', undefined)
  const view = structure.view()
  const ends = { read: view.readInt32LE(0), write: view.readInt32LE(4) }
  libc.fcntl(ends.write, F_SETPIPE_SZ, bytes)
  return ends
}
