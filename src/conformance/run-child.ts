/** Runs an unpack in a process of its own. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { fromErrorRecord, type ErrorRecord } from '../errors.ts'
import type { TraceRecord } from '../hooks/trace.ts'
import { cacheDirectory } from '../sys/cache-directory.ts'

export interface ChildTask {
  /** In the form that `openHooks` takes. */
  hooks: string
  image: string
  destination: string
  /** The process kills itself after this many calls. */
  killAfter?: number
  /** The process kills itself while it waits for the answer to this call, counted from 1. */
  killDuring?: number
}

/** What the child gets. */
export interface ChildArguments extends ChildTask {
  /** The directory for caches. */
  cache: string
}

/** The descriptor for the child's answers, since functions of the hooks may print to standard output. */
export const ANSWER_FD = 3
const STDERR_FD = 2

/** The child's answers, one line of JSON each. */
export type ChildLine =
  { call: TraceRecord } | { during: string } | { done: true } | { error: ErrorRecord }

export interface ChildResult {
  calls: TraceRecord[]
  /** `killed`: before it finished. */
  end: { kind: 'done' } | { kind: 'killed'; during?: string } | { kind: 'failed'; error: Error }
}

export async function runChild(task: ChildTask, signal?: AbortSignal): Promise<ChildResult> {
  const program = fileURLToPath(new URL('./child.js', import.meta.url))
  const given: ChildArguments = { ...task, cache: cacheDirectory()! }
  const child = spawn(process.execPath, [program, JSON.stringify(given)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal })
  })
  const exit = new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject))
  const written = (fd: number): Promise<string> => text(child.stdio[fd] as NodeJS.ReadableStream)
  const [output, errors] = await Promise.all([written(ANSWER_FD), written(STDERR_FD), exit])
  const lines = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ChildLine)
  return {
    calls: lines.flatMap((line) => ('call' in line ? [line.call] : [])),
    end: endOf(lines.at(-1), child.signalCode, errors)
  }
}

function endOf(
  last: ChildLine | undefined,
  signal: NodeJS.Signals | null,
  errors: string
): ChildResult['end'] {
  if (last !== undefined && 'done' in last) return { kind: 'done' }
  if (last !== undefined && 'error' in last)
    return { kind: 'failed', error: fromErrorRecord(last.error) }
  if (signal === 'SIGKILL')
    return {
      kind: 'killed',
      ...(last !== undefined && 'during' in last ? { during: last.during } : {})
    }
  return { kind: 'failed', error: new Error(`the process ended in the middle: ${errors}`) }
}
