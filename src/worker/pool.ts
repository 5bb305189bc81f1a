/**
 * Runs tasks in threads. A pool of size 0 runs them in the calling thread: same code, same result, for
 * callers that may not start threads and for tests.
 */
import { Worker } from 'node:worker_threads'
import pLimit from 'p-limit'
import { fromErrorRecord, OciUnpackError } from '../errors.ts'
import type { Control } from './control.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { perform, SILENT, type Report, type Task, type TaskResult } from './perform.ts'

export class Pool {
  private readonly threads: number
  private readonly limit: ReturnType<typeof pLimit>
  private readonly idle: Worker[] = []
  private readonly all: Worker[] = []

  /** @param threads how many tasks may run at once; 0 for none but the calling thread */
  constructor(threads: number) {
    this.threads = threads
    this.limit = pLimit(Math.max(1, threads))
  }

  /** Resolves when the task is done. @throws what the task threw, WORKER_DIED when its thread ended */
  async run(task: Task, control: Control, heard: Partial<Report> = {}): Promise<TaskResult> {
    const report = { ...SILENT, ...heard }
    return this.limit(() =>
      this.threads === 0 ? perform(task, control, report) : this.delegate(task, control, report)
    )
  }

  /** Ends all threads. Tasks still running are given up: stop them through their control first. */
  async close(): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.terminate()))
  }

  private async delegate(task: Task, control: Control, report: Report): Promise<TaskResult> {
    const worker = this.idle.pop() ?? this.start()
    const result = await request(worker, { task, control: control.memory }, report)
    this.idle.push(worker)
    return result
  }

  private start(): Worker {
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      resourceLimits: THREAD_LIMITS,
      trackUnmanagedFds: false
    })
    this.all.push(worker)
    return worker
  }
}

/** A thread keeps one chunk, one batch and the names of one layer: small heaps keep the whole small. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8 }

function request(worker: Worker, message: ToWorker, report: Report): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
      act()
    }
    const onMessage = (answer: FromWorker): void => {
      try {
        handle(answer)
      } catch (error) {
        settle(() => reject(asError(error)))
      }
    }
    const handle = (answer: FromWorker): void => {
      switch (answer.type) {
        case 'entries':
          report.entries(answer.batch)
          return
        case 'lost-xattr':
          report.lostXattr(answer.entry, answer.xattr)
          return
        case 'scanned':
          report.scanned(answer.batch)
          return
        case 'done':
          settle(() => resolve(answer.result))
          return
        case 'failed':
          settle(() => reject(fromErrorRecord(answer.error)))
      }
    }
    const onError = (error: Error): void => settle(() => reject(died(error)))
    const onExit = (): void => settle(() => reject(died(undefined)))
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage(message)
  })
}

function died(cause: Error | undefined): OciUnpackError {
  return new OciUnpackError('WORKER_DIED', 'A worker thread ended in the middle of its work.', {
    hint: 'This is most often a lack of memory; try fewer --jobs.',
    ...(cause === undefined ? {} : { cause })
  })
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
