/** Threads for the duration of an operation. */
import { Control } from '../../worker/control.ts'
import { Pool } from '../../worker/pool.ts'
import { throwIfAborted } from './abort.ts'

export interface ThreadOptions {
  /**
   * How many threads may work at once. 0: none is started, whatever there is to do; the calling thread does it all. That is
   * also what an operation asks of one inside it whose work its own threads have done already.
   */
  jobs: number
  signal: AbortSignal | undefined
}

export interface CountedThreads extends ThreadOptions {
  /** Layers whose progress is counted; default none. */
  layers?: number
}

/**
 * Runs `act` with a pool that ends when the work does, whatever the outcome, and passes the signal on to its tasks.
 * @param threads 0 for the calling thread alone
 * @throws ABORTED, and what `act` throws
 */
export async function withThreads<T>(
  threads: number,
  { jobs, signal, layers = 0 }: CountedThreads,
  act: (pool: Pool, control: Control) => Promise<T>
): Promise<T> {
  throwIfAborted(signal)
  const control = Control.forLayers(layers, jobs)
  const pool = new Pool(threads)
  const abort = (): void => control.abort()
  signal?.addEventListener('abort', abort)
  try {
    return await act(pool, control)
  } finally {
    signal?.removeEventListener('abort', abort)
    control.abort()
    await pool.close()
  }
}
