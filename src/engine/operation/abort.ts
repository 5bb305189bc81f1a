/** Stopping an operation at its caller's request. */
import { aborted } from '../../errors.ts'

/** @throws ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason)
}

/**
 * Lets the event loop turn so that signals of the process are delivered: most of the work is synchronous and would
 * block them. @throws ABORTED
 */
export async function heedSignals(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  throwIfAborted(signal)
}

const PAUSE_MS = 5

/** Waits between two attempts to get a lock that another process holds. @throws ABORTED */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  throwIfAborted(signal)
}
