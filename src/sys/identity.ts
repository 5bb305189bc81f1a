/** The ids and the umask of this process. */
import { readFile } from './read.ts'

export interface Identity {
  uid: number
  gid: number
  umask: number
}

/**
 * The ids that this process acts with. The umask is read from /proc, because `process.umask()` sets it to zero for a
 * moment, in all threads.
 */
export function identity(): Identity {
  const umask = /^Umask:\s*([0-7]+)$/m.exec(readFile('/proc/self/status').toString('latin1'))?.[1]
  return { uid: process.geteuid!(), gid: process.getegid!(), umask: parseInt(umask ?? '022', 8) }
}
