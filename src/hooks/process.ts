/** Starts programs with their arguments, never through a shell. The only file that knows execa. */
import type { Readable, Writable } from 'node:stream'
import type { Owner } from './owner.ts'
import { endGroup, watchGroup } from './process-group.ts'

export type Environment = Readonly<Record<string, string>>

export interface Program {
  /** An absolute path, and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** Its working directory. */
  readonly directory: string
  /** All of it, except the name of the owner. */
  readonly environment: Environment
  /** Lives until this program and everything that it starts have ended. */
  readonly owner: Owner
}

/**
 * The descriptor that holds the owner's lock in a program. It is the last one that a shell can close by its number, so
 * scripts are least likely to use it.
 */
const OWNER_FD = 9

/** How a program ended. */
export type Exit =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly reason: string; readonly code: string | undefined }

export interface RunningProgram {
  /** A program that does not read it causes no error. */
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** How the program itself ended; others may still hold its output. Never rejects. */
  readonly exit: Promise<Exit>
  /** Ends the whole process group. */
  end(): Promise<void>
  /** Stops reading its output, which a process that it left behind may still hold open. */
  release(): void
}

const PIPES = ['pipe', 'pipe', 'pipe'] as const
const NOTHING = Array.from({ length: OWNER_FD - PIPES.length }, () => 'ignore' as const)

/** Starts a program as the leader of a new process group. */
export async function startProgram(program: Program): Promise<RunningProgram> {
  // This takes 76 ms, so it is loaded only if hooks are programs.
  const { execa } = await import('execa')
  const [file, ...args] = program.command
  const child = execa(file, args, {
    cwd: program.directory,
    env: { ...program.environment, OCI_UNPACK_OWNER: program.owner.path },
    extendEnv: false,
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    // the types of execa end at 9, but it accepts any descriptor
    stdio: [...PIPES, ...NOTHING, program.owner.fd as typeof OWNER_FD]
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
