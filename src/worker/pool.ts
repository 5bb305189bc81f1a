/**
 * Runs tasks in threads. A pool of size 0 runs them in the calling thread, with the same code and results, for tests
 * and for callers that cannot start threads.
 */
import { Worker } from 'node:worker_threads'
import pLimit from 'p-limit'
import { fromErrorRecord, OciUnpackError } from '../errors.ts'
import { stopArrival } from '../store/arrival-memory.ts'
import { fromNode } from '../sys/failure.ts'
import { Assistance, isAbort } from './assistance.ts'
import type { Control } from './control.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { perform, SILENT, type Report, type ResultOf, type Task } from './perform.ts'

export class Pool {
  private readonly threads: number
  private readonly limit: ReturnType<typeof pLimit>
  private readonly idle: Thread[] = []
  private readonly all: Thread[] = []
  private readonly assistance = new Assistance()

  /** @param threads how many tasks may run at once; 0 uses only the calling thread */
  constructor(threads: number) {
    this.threads = isSomewhere() ? threads : 0
    this.limit = pLimit(Math.max(1, this.threads))
  }

  /** Starts all threads, which takes a while, before there are tasks for them. */
  start(): void {
    while (this.all.length < this.threads) this.idle.push(this.startThread())
  }

  /**
   * Resolves when the task is done. While there are more threads than tasks, the others assist with layers that are read.
   * @throws what the task threw, or WORKER_DIED when its thread ended
   */
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
    await this.settle()
    await Promise.all(this.all.map((thread) => thread.end()))
  }

  /** Waits until no task runs. Those that have not begun never will. */
  async settle(): Promise<void> {
    this.limit.clearQueue()
    this.assistance.end()
    await Promise.all(this.all.map((thread) => thread.idle()))
  }

  private async delegate<T extends Task>(
    task: T,
    control: Control,
    report: Report
  ): Promise<ResultOf<T>> {
    const thread = this.available() ?? (await this.assistance.recall(() => this.available()))
    const { task: assisted, line } = this.assistance.offer(task, control)
    const release = control.whenAborted(() => stopWaiting(task))
    this.assist()
    try {
      const message = { task: assisted, control: control.memory }
      return (await thread.perform(message, report)) as ResultOf<T>
    } catch (error) {
      throw isAbort(error) ? (control.failure ?? error) : error
    } finally {
      release()
      this.assistance.withdraw(line)
      this.free(thread)
      this.assist()
    }
  }

  private available(): Thread | undefined {
    if (this.idle.length > 0) return this.idle.pop()
    return this.all.length < this.threads ? this.startThread() : undefined
  }

  /** Sends threads that have nothing else to do where they help most. */
  private assist(): void {
    while (this.limit.pendingCount === 0) {
      const isWarm = this.idle.length > 0
      if (!isWarm && this.all.length >= this.threads) return
      const line = this.assistance.neediest(isWarm)
      if (line === undefined) return
      const thread = this.spare()
      if (thread === undefined) return
      void line.assistedBy(thread).then(() => {
        this.free(thread)
        this.assist()
      })
    }
  }

  /** Without a thread that could only have assisted, everything still works. */
  private spare(): Thread | undefined {
    try {
      return this.available()
    } catch {
      return undefined
    }
  }

  /** A thread whose task nobody waits for any more is free when that task has ended. */
  private free(thread: Thread): void {
    if (thread.isBusy) {
      void thread.idle().then(() => this.free(thread))
      return
    }
    if (thread.isAlive) this.idle.push(thread)
    else this.all.splice(this.all.indexOf(thread), 1)
    this.assistance.returned()
  }

  private startThread(): Thread {
    const thread = new Thread()
    this.all.push(thread)
    return thread
  }
}

/** Threads that read a blob which is still arriving may be waiting, and look at nothing else meanwhile. */
function stopWaiting(task: Task): void {
  if ('source' in task && task.source.arriving !== undefined) stopArrival(task.source.arriving)
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
  /** Whether it can take another task, now or later. */
  isAlive = true
  isBusy = false
  private readonly worker = new Worker(new URL('./thread.js', import.meta.url), {
    resourceLimits: THREAD_LIMITS,
    trackUnmanagedFds: false
  })
  private over: Promise<unknown> = Promise.resolve()

  /** Runs one task at a time. */
  perform(message: ToWorker, report: Report): Promise<ResultOf<Task>> {
    this.isBusy = true
    return new Promise((resolve, reject) => {
      const request = this.request(message, (said) => {
        try {
          hear(said, report)
        } catch (error) {
          reject(asError(error))
        }
      })
      this.over = request.finally(() => (this.isBusy = false)).then(resolve, reject)
    })
  }

  /** Never interrupts a task: terminating a thread inside native code would crash the process. */
  async end(): Promise<void> {
    await this.over
    await this.worker.terminate()
  }

  async idle(): Promise<void> {
    await this.over
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
      const onDeath = (error?: Error): void => {
        this.isAlive = false
        settle(() => reject(died(error)))
      }
      const onError = (error: Error): void => onDeath(error)
      const onExit = (): void => onDeath()
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
