import { OciUnpackError } from '../../src/errors.ts'

/** The expected failure of an action; anything else that is thrown goes on. */
export function failure(action: () => unknown): OciUnpackError | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
}
