/** A conversation with one process in lines of JSON: questions with an id, answers with the same id in any order. */
import { setTimeout } from 'node:timers/promises'
import { withFacts } from '../errors.ts'
import { unlessStopped } from './deadline.ts'
import { answerInvalid, endedBadly, hookFailed } from './failures.ts'
import { LATE_STDERR_MS, type RawAnswer } from './hook-kind.ts'
import type { RunningProgram } from './process.ts'
import { Records } from './records.ts'
import { requestLine, type HookRequest } from './request.ts'
import { answerOf, readReply, type Reply } from './session-reply.ts'
import type { StderrLog } from './stderr-log.ts'

interface Pending {
  readonly request: HookRequest
  readonly resolve: (answer: RawAnswer) => void
  readonly reject: (error: unknown) => void
}

const LINE_BYTES = 2 ** 20
/** The limit of a line while a delta-list is expected; V8's longest string has twice as many characters. */
const LIST_BYTES = 2 ** 28
const CLOSE_MS = 2_000
const LAST_WORDS_MS = 100

export class Conversation {
  private readonly running: RunningProgram
  private readonly log: StderrLog
  private readonly over: Promise<void>
  private readonly pending = new Map<number, Pending>()
  private lastId = 0
  private closing = false
  private failure: Error | undefined

  /** `onOver` is called when no more questions can be asked. */
  constructor(running: RunningProgram, log: StderrLog, onOver: () => void) {
    this.running = running
    this.log = log
    this.over = this.listen(onOver)
  }

  /** If told to stop, it ends the process: nothing else can end the work on the question. */
  async ask(request: HookRequest, stop: AbortSignal): Promise<RawAnswer> {
    try {
      const answer = await unlessStopped(stop, this.send(request))
      const { log } = this
      return {
        ...answer,
        get stderr() {
          return log.tail().stderr
        }
      }
    } catch (error) {
      if (stop.aborted) await this.endBecause(hookFailed(OTHER_STOPPED))
      else await setTimeout(LATE_STDERR_MS)
      throw withFacts(error, this.log.tail())
    }
  }

  /** Closes the process's input, and ends the process if it is still running after two seconds. */
  async close(): Promise<void> {
    this.closing = true
    this.running.stdin.end()
    const late = await Promise.race([this.running.exit, setTimeout(CLOSE_MS, 'late' as const)])
    if (late === 'late') await this.running.end()
    await this.over
  }

  private send(request: HookRequest): Promise<RawAnswer> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    const id = ++this.lastId
    return new Promise((resolve, reject) => {
      this.pending.set(id, { request, resolve, reject })
      this.running.stdin.write(requestLine(request, id))
    })
  }

  private async listen(onOver: () => void): Promise<void> {
    const lines = this.lines()
    const { stdout, exit } = this.running
    stdout.on('data', (chunk: Buffer) => lines.push(chunk))
    const silent = new Promise((resolve) => stdout.once('close', resolve))
    await Promise.race([silent, exit.then(() => setTimeout(LAST_WORDS_MS))])
    onOver()
    if (!this.closing) await this.running.end()
    await this.log.ended()
    this.running.release()
    const when = lines.rest().length > 0 ? HALF_A_LINE : 'its process ended'
    this.failAll(this.failure ?? endedBadly(await exit, when))
  }

  private lines(): Records {
    const isListAwaited = () =>
      [...this.pending.values()].some(({ request }) => request.point === 'delta-list')
    return new Records({
      separator: 0x0a,
      get limit() {
        return isListAwaited() ? LIST_BYTES : LINE_BYTES
      },
      onRecord: (line) => this.receive(line),
      onTooLong: (line) =>
        void this.endBecause(answerInvalid(`a line is longer than ${line.length} bytes`))
    })
  }

  private receive(line: Buffer): void {
    const reply = readReply(line)
    if (reply instanceof Error) void this.endBecause(reply)
    else this.settle(reply)
  }

  private settle(reply: Reply): void {
    const pending = this.pending.get(reply.id)
    if (pending === undefined) {
      void this.endBecause(
        answerInvalid('it answered a call that was not made', { found: `id ${reply.id}` })
      )
      return
    }
    this.pending.delete(reply.id)
    const answer = answerOf(reply)
    if (answer instanceof Error) pending.reject(answer)
    else pending.resolve(answer)
  }

  /** After a line that cannot be understood, no other can be trusted. */
  private async endBecause(failure: Error): Promise<void> {
    this.failure ??= failure
    await this.running.end()
    await this.over
  }

  private failAll(failure: Error): void {
    this.failure = failure
    for (const { reject } of this.pending.values()) reject(failure)
    this.pending.clear()
  }
}

const OTHER_STOPPED = 'its process was ended because another of its calls was stopped'
const HALF_A_LINE = 'its process ended in the middle of a line'
