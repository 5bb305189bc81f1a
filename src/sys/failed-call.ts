/** Explains why the last call of libc failed. */
import { constants, type as osType } from 'node:os'
import { display, type ByteString } from '../bytes.ts'
import { SyscallError } from './failure.ts'
import { lastErrno } from './libc.ts'

/** Node does not have it. */
const ENOTBLK = 15

/** Some numbers have two names (EAGAIN is EWOULDBLOCK); the first in the list is used. */
const errnoNames = new Map(
  Object.entries({ ...constants.errno, ENOTBLK })
    .reverse()
    .map(([name, value]) => [value, name])
)

/** Whether the call that just returned -1 failed with one of these. Cheaper than an error if failures are common. */
export function failedWith(...names: readonly string[]): boolean {
  return names.includes(errnoNames.get(lastErrno()) ?? '')
}

/** The error to throw right after a call returned -1. `args` are shown, with byte strings quoted. */
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
