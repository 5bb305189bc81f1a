/** What hooks write to standard error, line by line. */
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { display, fromBuffer } from '../bytes.ts'
import type { HookPoint } from './points.ts'
import { Records } from './records.ts'

/** `point` is undefined if one process may answer several calls at once. */
export type OnStderr = (text: string, point: HookPoint | undefined) => void

const LINE_BYTES = 8 * 1024
const TAIL_BYTES = 4 * 1024
const LAST_WORDS_MS = 100

/** Passes on standard error line by line and keeps its end. Reads all of it, so that no program has to wait. */
export class StderrLog {
  private lastLines: Buffer = Buffer.alloc(0)
  private readonly end: Promise<void>

  constructor(
    stream: Readable,
    /** Gets text that is fit for a terminal. */ onLine: (text: string) => void
  ) {
    const show = (line: Buffer) => onLine(display(fromBuffer(line)))
    const lines = new Records({
      separator: 0x0a,
      limit: LINE_BYTES,
      onRecord: show,
      onTooLong: show
    })
    stream.on('data', (chunk: Buffer) => {
      lines.push(chunk)
      this.lastLines = Buffer.concat([this.lastLines, chunk.subarray(-TAIL_BYTES)]).subarray(
        -TAIL_BYTES
      )
    })
    this.end = new Promise((resolve) => {
      stream.once('close', () => {
        const rest = lines.rest()
        if (rest.length > 0) show(rest)
        resolve()
      })
    })
  }

  /** Waits for its end, but not long: a process that the hook left behind may keep it open. */
  async ended(): Promise<void> {
    await Promise.race([this.end, setTimeout(LAST_WORDS_MS, undefined, { ref: false })])
  }

  isEmpty(): boolean {
    return this.tail().stderr === undefined
  }

  /** The last 4 KiB, line by line. */
  tail(): { stderr?: string } {
    const text = fromBuffer(this.lastLines).trim()
    return text === '' ? {} : { stderr: text.split('\n').map(display).join('\n') }
  }
}
