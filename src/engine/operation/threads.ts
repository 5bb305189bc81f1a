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
  /** Threads that stay (`keepingThreads`). Default: threads for this alone. */
  pool?: Pool | undefined
}

export interface CountedThreads extends ThreadOptions {
  /** Layers whose progress is counted; default none. */
  layers?: number
}

/**
 * Runs `act` with a pool whose work has ended when this does, whatever the outcome, and passes the signal on to its tasks.
 * @param threads 0 for the calling thread alone
 * @throws ABORTED, and what `act` throws
 */
export async function withThreads<T>(
  threads: number,
  { signal, pool: kept, layers = 0 }: CountedThreads,
  act: (pool: Pool, control: Control) => Promise<T>
): Promise<T> {
  throwIfAborted(signal)
  const control = Control.forLayers(layers)
  const pool = threads === 0 || kept === undefined ? new Pool(threads) : kept
  const abort = (): void => control.abort()
  signal?.addEventListener('abort', abort)
  try {
    return await act(pool, control)
  } finally {
    signal?.removeEventListener('abort', abort)
    control.abort()
    await (pool === kept ? pool.settle() : pool.close())
  }
}

/**
 * Runs `act` with options whose threads stay until it ends, because starting one takes 30 to 50 ms. Only one operation at a
 * time may use them.
 */
export async function keepingThreads<Options extends ThreadOptions, T>(
  options: Options,
  act: (options: Options) => Promise<T>
): Promise<T> {
  const pool = new Pool(options.jobs)
  try {
    return await act({ ...options, pool })
  } finally {
    await pool.close()
  }
}
