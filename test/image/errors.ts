import { OciUnpackError, type ErrorCode } from '../../src/errors.ts'

/** The expected failure that a call throws. */
export function failure(call: () => unknown): OciUnpackError {
  try {
    call()
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

export function failureCode(call: () => unknown): ErrorCode {
  return failure(call).code
}
