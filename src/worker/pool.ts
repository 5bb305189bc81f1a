/**
 * Runs tasks in threads. A pool of size 0 runs them in the calling thread, with the same code and results, for tests
 * and for callers that cannot start threads.
 */
import { Worker } from 'node:worker_threads'
import pLimit from 'p-limit'
import { fromErrorRecord, OciUnpackError } from '../errors.ts'
import { fromNode } from '../sys/failure.ts'
import type { Control } from './control.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { perform, SILENT, type Report, type ResultOf, type Task } from './perform.ts'

export class Pool {
  private readonly threads: number
  private readonly limit: ReturnType<typeof pLimit>
  private readonly idle: Thread[] = []
  private readonly all: Thread[] = []

  /** @param threads how many tasks may run at once; 0 uses only the calling thread */
  constructor(threads: number) {
    this.threads = isSomewhere() ? threads : 0
    this.limit = pLimit(Math.max(1, this.threads))
  }

  /** Resolves when the task is done. @throws what the task threw, or WORKER_DIED when its thread ended */
  async run<T extends Task>(
    task: T,
    control: Control,
    heard: Partial<Report> = {}
  ): Promise<ResultOf<T>> {
    const report = { ...SILENT, ...heard }
    try {
      return await this.limit(() =>
        this.threads === 0 ? perform(task, control, report) : this.delegate(task, control, report)
      )
    } catch (error) {
      throw fromNode(error)
    }
  }

  /** Ends all threads when their tasks are done. To cancel tasks, first stop them through their control. */
  async close(): Promise<void> {
    this.limit.clearQueue()
    await Promise.all(this.all.map((thread) => thread.end()))
  }

  private async delegate<T extends Task>(
    task: T,
    control: Control,
    report: Report
  ): Promise<ResultOf<T>> {
    const thread = this.idle.pop() ?? this.start()
    const result = await thread.perform({ task, control: control.memory }, report)
    this.idle.push(thread)
    return result as ResultOf<T>
  }

  private start(): Thread {
    const thread = new Thread()
    this.all.push(thread)
    return thread
  }
}

/** Node cannot start threads when the working directory was removed; the calling thread can still work. */
function isSomewhere(): boolean {
  try {
    return process.cwd() !== ''
  } catch {
    return false
  }
}

/**
 * A thread keeps one chunk, one batch and the names of one layer, so a small young generation is enough and saves
 * memory.
 */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8 }

class Thread {
  private readonly worker = new Worker(new URL('./thread.js', import.meta.url), {
    resourceLimits: THREAD_LIMITS,
    trackUnmanagedFds: false
  })
  private over: Promise<unknown> = Promise.resolve()

  /** Runs one task at a time. */
  perform(message: ToWorker, report: Report): Promise<ResultOf<Task>> {
    return new Promise((resolve, reject) => {
      this.over = this.request(message, (said) => {
        try {
          hear(said, report)
        } catch (error) {
          reject(asError(error))
        }
      }).then(resolve, reject)
    })
  }

  /** Never interrupts a task: terminating a thread inside native code would crash the process. */
  async end(): Promise<void> {
    await this.over
    await this.worker.terminate()
  }

  private request(message: ToWorker, heard: (said: Said) => void): Promise<ResultOf<Task>> {
    const { worker } = this
    return new Promise<ResultOf<Task>>((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off('message', onMessage)
        worker.off('error', onError)
        worker.off('exit', onExit)
        act()
      }
      const onMessage = (answer: FromWorker): void => {
        if (answer.type === 'done') settle(() => resolve(answer.result))
        else if (answer.type === 'failed') settle(() => reject(fromErrorRecord(answer.error)))
        else heard(answer)
      }
      const onError = (error: Error): void => settle(() => reject(died(error)))
      const onExit = (): void => settle(() => reject(died(undefined)))
      worker.on('message', onMessage)
      worker.on('error', onError)
      worker.on('exit', onExit)
      worker.postMessage(message)
    })
  }
}

type Said = Exclude<FromWorker, { type: 'done' | 'failed' }>

function hear(said: Said, report: Report): void {
  switch (said.type) {
    case 'entries': {
      report.entries(said.batch)
      return
    }
    case 'lost-xattr': {
      report.lostXattr(said.entry, said.xattr)
      return
    }
    case 'other-compression': {
      report.otherCompression(said.found)
      return
    }
    case 'scanned': {
      report.scanned(said.batch)
      return
    }
  }
}

function died(cause: Error | undefined): OciUnpackError {
  const known = fromNode(cause)
  if (known instanceof OciUnpackError) return known
  return new OciUnpackError('WORKER_DIED', 'A worker thread ended unexpectedly.', {
    hint: 'The machine probably ran out of memory. Try a lower value for {jobs}.',
    ...(cause === undefined ? {} : { cause })
  })
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
