/** Ending an operation when its caller asks for it. */
import { aborted } from '../../errors.ts'

/** @throws ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason)
}

/**
 * Lets the event loop turn, so that a signal of the process arrives: most of the work is synchronous, and nobody would
 * hear of one. @throws ABORTED
 */
export async function heedSignals(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  throwIfAborted(signal)
}

const PAUSE_MS = 5

/** Between two tries to get what another process holds. @throws ABORTED */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  throwIfAborted(signal)
}
