/** A program as a filter: its input is a file, its output a pipe. */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { close } from '../sys/files.ts'
import { pipe } from '../sys/pipe.ts'
import { exitOf, waitFor, type Exit } from './child-exit.ts'
import { environment, type Program } from './programs.ts'
import { fill } from './pipe-reader.ts'
import { CHUNK_BYTES } from './zlib-stream.ts'

/** A running filter. The caller that starts it also has to call `stop()`. */
export interface Child {
  /**
   * The next chunk of output, full (1 MiB) except at the end, valid until the next call; empty at the end. `idle` is
   * called while there is nothing to read, and may throw.
   */
  next(idle: () => void): Promise<Buffer>
  /** Waits until the program has ended by itself; `idle` as above. */
  ended(idle: () => void): Promise<Exit>
  /** Kills the program if it is still running, and waits until it has ended. */
  stop(): Promise<void>
}

/** Starts a program that reads `stdin` (a descriptor). It inherits nothing else, not even the environment. */
export function startChild(program: Program, stdin: number): Child {
  const { child, output } = launch(program, stdin)
  const exit = exitOf(child)
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  return {
    next: (idle) => fill(output, buffer, idle),
    ended: (idle) => waitFor(exit, idle),
    async stop() {
      closeSync(output)
      child.kill('SIGKILL')
      await exit
      child.stderr?.destroy()
    }
  }
}

function launch(program: Program, stdin: number): { child: ChildProcess; output: number } {
  const ends = pipe(CHUNK_BYTES)
  try {
    const output = nonBlocking(ends.read)
    return { output, child: spawnFilter(program, stdin, ends.write, output) }
  } finally {
    // not with node:fs, which warns in worker threads about descriptors that it did not open
    close(ends.read)
    close(ends.write)
  }
}

/** Opens the same end of the pipe a second time, since flags belong to the open file description. */
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
    return spawn(program.path, program.args, { stdio: [stdin, stdout, 'pipe'], env: environment() })
  } catch (error) {
    closeSync(output)
    throw error
  }
}
