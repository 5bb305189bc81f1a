/** The only file that knows execa: programs are started here, as arguments, never by a shell. */
import type { Readable, Writable } from 'node:stream'
import { endGroup, watchGroup } from './process-group.ts'

export type Environment = Readonly<Record<string, string>>

export interface Program {
  /** An absolute path, and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** Its working directory. */
  readonly directory: string
  /** All of it: nothing of ours is added. */
  readonly environment: Environment
}

/** How a program ended. */
export type Exit =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly reason: string; readonly code: string | undefined }

export interface RunningProgram {
  /** Does not mind a program that does not read. */
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** The end of the program itself; others may still hold its output. Never rejects. */
  readonly exit: Promise<Exit>
  /** Ends the whole process group. */
  end(): Promise<void>
  /** Lets go of its output, which something that it left behind may still hold. */
  release(): void
}

/** Starts a program as leader of a new process group. */
export async function startProgram(program: Program): Promise<RunningProgram> {
  // Takes 76 ms, which only those pay who have programs as hooks.
  const { execa } = await import('execa')
  const [file, ...args] = program.command
  const child = execa(file, args, {
    cwd: program.directory,
    env: program.environment,
    extendEnv: false,
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stdin: 'pipe'
  })
  const { stdin, stdout, stderr, pid } = child
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined)
  const exit = new Promise<Exit>((resolve) => {
    child.once('exit', (status, signal) => resolve(exitOf(status, signal)))
    void child.then(({ originalMessage = 'it could not be started', code }) => {
      if (pid === undefined) resolve({ kind: 'not-started', reason: originalMessage, code })
    })
  })
  if (pid !== undefined) watchGroup(pid, exit)
  return {
    stdin,
    stdout,
    stderr,
    exit,
    end: () => (pid === undefined ? Promise.resolve() : endGroup(pid)),
    release: () => {
      stdout.destroy()
      stderr.destroy()
    }
  }
}

function exitOf(status: number | null, signal: NodeJS.Signals | null): Exit {
  return signal === null ? { kind: 'exited', status: status ?? 0 } : { kind: 'killed', signal }
}
