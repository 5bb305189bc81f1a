import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { display } from '../bytes.ts'
import { pipe } from '../sys/pipe.ts'
import type { Program } from './choice.ts'
import { CHUNK_BYTES } from './zlib-stream.ts'

/** How a program ended. */
export type Exit =
  | { readonly kind: 'clean' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'not-started'; readonly reason: string }

/** A running filter. Whoever starts it calls `stop()` in the end. */
export interface Child {
  /**
   * The next chunk of output, full (1 MiB) except at the end, valid until the next call; empty at the end.
   * `idle` is called while there is nothing to read; what it throws comes out.
   */
  next(idle: () => void): Promise<Buffer>
  /** Waits until the program has ended by itself; `idle` as above. */
  ended(idle: () => void): Promise<Exit>
  /** Kills the program if it still runs, and waits until it is gone. */
  stop(): Promise<void>
}

/** Starts a program that reads `stdin` (a descriptor) and inherits nothing else, not even the environment. */
export function startChild(program: Program, stdin: number): Child {
  const { child, output } = launch(program, stdin)
  const exit = exitOf(child, tailOf(child))
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  return {
    next: (idle) => fill(output, buffer, idle),
    ended: (idle) => waitFor(exit, idle),
    async stop() {
      closeSync(output)
      child.kill('SIGKILL')
      await exit
    }
  }
}

function launch(program: Program, stdin: number): { child: ChildProcess; output: number } {
  const ends = pipe(CHUNK_BYTES)
  try {
    const output = nonBlocking(ends.read)
    return { output, child: spawnFilter(program, stdin, ends.write, output) }
  } finally {
    closeSync(ends.read)
    closeSync(ends.write)
  }
}

/** The same end of the pipe as a description of its own, as flags belong to descriptions. */
function nonBlocking(end: number): number {
  return openSync(`/proc/self/fd/${end}`, constants.O_RDONLY | constants.O_NONBLOCK)
}

function spawnFilter(
  program: Program,
  stdin: number,
  stdout: number,
  output: number
): ChildProcess {
  try {
    const env = process.env.PATH === undefined ? {} : { PATH: process.env.PATH }
    return spawn(program.path, program.args, { stdio: [stdin, stdout, 'pipe'], env })
  } catch (error) {
    closeSync(output)
    throw error
  }
}

const TAIL_BYTES = 2048

/** The end of what the program says on standard error; all of it is read, so that it never waits for us. */
function tailOf(child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.on('data', (data: Buffer) => {
    tail = (tail + data.toString('latin1')).slice(-TAIL_BYTES)
  })
  return () => display(tail.trim())
}

/** Never rejects. */
function exitOf(child: ChildProcess, messages: () => string): Promise<Exit> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ kind: 'not-started', reason: error.message }))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve({ kind: 'clean' })
      else void lastWords(child).then(() => resolve(failure(code, signal, messages())))
    })
  })
}

function failure(code: number | null, signal: string | null, messages: string): Exit {
  const how = signal === null ? `exit status ${String(code)}` : `killed by ${signal}`
  return { kind: 'failed', reason: messages === '' ? how : `${how}: ${messages}` }
}

const WAIT_MS = 50

async function waitFor(exit: Promise<Exit>, idle: () => void): Promise<Exit> {
  for (;;) {
    const ended = await Promise.race([exit, setTimeout(WAIT_MS, undefined, { ref: false })])
    if (ended !== undefined) return ended
    idle()
  }
}

const LAST_WORDS_MS = 100

/** Standard error may end after the program, or never where a process of its own holds it open. */
async function lastWords(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve))
  await Promise.race([closed, setTimeout(LAST_WORDS_MS, undefined, { ref: false })])
  child.stderr?.destroy()
}

async function fill(fd: number, buffer: Buffer, idle: () => void): Promise<Buffer> {
  let length = 0
  while (length < buffer.length) {
    const count = readSome(fd, buffer, length)
    if (count === 0) break
    if (count === undefined) await rest(idle)
    else length += count
  }
  return buffer.subarray(0, length)
}

/** Undefined where nothing is there yet. */
function readSome(fd: number, buffer: Buffer, offset: number): number | undefined {
  try {
    return readSync(fd, buffer, offset, buffer.length - offset, null)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}

/** Within it a fast program fills a quarter of the pipe, so it never waits for us. */
const REST_MS = 0.25
const never = new Int32Array(new SharedArrayBuffer(4))

/**
 * A turn of the event loop takes in standard error and the program's end; then this thread sleeps. libuv's own
 * reads are as fast alone, but up to a fifth slower where two layers share two cores.
 */
async function rest(idle: () => void): Promise<void> {
  await setImmediate()
  idle()
  Atomics.wait(never, 0, 0, REST_MS)
}
