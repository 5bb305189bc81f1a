import { SyscallError } from '../../src/sys/failure.ts'

/** The name of the error that a call fails with; anything but a failed call goes on. */
export function errnoOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof SyscallError) return error.errno
    throw error
  }
}
