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

/** Waits for `work`, but no longer than until the signal. @throws ABORTED, and what `work` rejects with */
export async function untilAborted<T>(
  signal: AbortSignal | undefined,
  work: T | Promise<T>
): Promise<T> {
  throwIfAborted(signal)
  if (signal === undefined) return work
  let stop = (): void => undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(signal.reason))
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const PAUSE_MS = 5

/** Waits between two attempts to get a lock that another process holds. @throws ABORTED */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  throwIfAborted(signal)
}
