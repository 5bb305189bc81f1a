/** Why the call of libc that was made last failed. */
import { constants, type as osType } from 'node:os'
import { display, type ByteString } from '../bytes.ts'
import { SyscallError } from './failure.ts'
import { lastErrno } from './libc.ts'

/** Some numbers have two names (EAGAIN is EWOULDBLOCK): the first in the list counts. */
const errnoNames = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, value]) => [value, name])
)

/** Whether the call that just returned -1 failed so. Costs less than an error, where failing is ordinary. */
export function failedWith(...names: readonly string[]): boolean {
  return names.includes(errnoNames.get(lastErrno()) ?? '')
}

/** What a verb throws right after its call returned -1. `args` are shown; byte strings quoted. */
export function failed(
  name: string,
  path: ByteString | undefined,
  ...args: (number | string)[]
): SyscallError {
  const errno = lastErrno()
  const shown = path === undefined ? [] : [`"${display(path)}"`]
  return new SyscallError(
    errnoNames.get(errno) ?? `${osType()} errno ${errno}`,
    `${name}(${[...shown, ...args].join(', ')})`,
    path === undefined ? undefined : display(path)
  )
}
