/** Limits how long a call may take. */
import { aborted } from '../errors.ts'
import { timedOut } from './failures.ts'

/** setTimeout fires at once for longer times. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Runs `work` with a signal that is aborted after `limit` milliseconds, or when `signal` is. Its reason is the error to
 * throw.
 */
export async function withDeadline<T>(
  limit: number,
  signal: AbortSignal | undefined,
  work: (stop: AbortSignal) => Promise<T>
): Promise<T> {
  const controller = new AbortController()
  const abort = () => controller.abort(aborted(signal?.reason))
  const expire = () => controller.abort(timedOut('it did not answer', limit))
  const timer = setTimeout(expire, Math.min(limit, LONGEST_MS))
  signal?.addEventListener('abort', abort)
  try {
    if (signal?.aborted === true) abort()
    controller.signal.throwIfAborted()
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** The result of the work, or the signal's reason as soon as there is one. The work itself is not ended. */
export async function unlessStopped<T>(stop: AbortSignal, work: Promise<T>): Promise<T> {
  let onAbort: (() => void) | undefined
  const stopped = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(stop.reason as Error)
    stop.addEventListener('abort', onAbort)
    if (stop.aborted) onAbort()
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    if (onAbort !== undefined) stop.removeEventListener('abort', onAbort)
  }
}
