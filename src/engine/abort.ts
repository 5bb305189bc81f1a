import { OciUnpackError } from '../errors.ts'

/** @throws ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new OciUnpackError('ABORTED', 'The operation was stopped.', { cause: signal.reason })
}
