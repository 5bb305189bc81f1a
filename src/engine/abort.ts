import { aborted } from '../errors.ts'

/** @throws ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason)
}

/**
 * Reading and writing are synchronous: without a turn of the event loop nobody would hear of a signal.
 * @throws ABORTED
 */
export async function heedSignals(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  throwIfAborted(signal)
}
