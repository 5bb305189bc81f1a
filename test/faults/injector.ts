/** Runs the built command line with a fault at one of its calls; see inject.c. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { actionOf, type Call, type Fault } from './faults.ts'
import { count } from './settings.ts'

export interface Ended {
  /** Undefined: a signal ended it. */
  status: number | undefined
  stderr: string
  /** The path of the call at which the fault happened, if it did. */
  fired: string | undefined
}

export interface Run extends Ended {
  /** When the last of its children has ended, too. */
  allEnded: Promise<void>
}

/** A program that hangs for so long is taken for one that never ends. */
const PATIENCE_MS = 60_000
const source = new URL('inject.c', import.meta.url).pathname

export class Injector {
  private readonly program: string
  private readonly prefixes: readonly string[]
  private readonly env: NodeJS.ProcessEnv

  /** Compiles into a directory. Only calls at and below the prefixes count. */
  constructor(directory: string, prefixes: readonly string[], env: NodeJS.ProcessEnv) {
    this.program = `${directory}/inject`
    this.prefixes = prefixes
    this.env = env
    if (!existsSync(this.program)) execFileSync('cc', ['-O2', '-o', this.program, source])
  }

  /** All calls of an undisturbed run. */
  async record(
    log: string,
    args: readonly string[],
    user?: number
  ): Promise<{ run: Run; calls: Call[] }> {
    const run = await this.start(['-l', log], args, user)
    await run.allEnded
    const lines = readFileSync(log, 'latin1').split('\n').slice(0, -1)
    return { run, calls: lines.map(callOf) }
  }

  async disturbed(fault: Fault, args: readonly string[], user?: number): Promise<Run> {
    const place = ['-c', fault.call, '-n', String(fault.nth)]
    return this.start([...place, ...actionOf(fault.kind, fault.call)], args, user)
  }

  async undisturbed(args: readonly string[], user?: number): Promise<Run> {
    return this.start(['-c', 'mknod'], args, user)
  }

  /** Resolves when the command has ended; its children may live on. */
  private start(
    options: readonly string[],
    args: readonly string[],
    user: number | undefined
  ): Promise<Run> {
    count('commands')
    const prefixes = this.prefixes.flatMap((prefix) => ['-p', prefix])
    const child = spawn(
      this.program,
      [...options, ...prefixes, '--', ...asUser(user), ...ociUnpackCommand, ...args],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], env: this.env }
    )
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    let fired: string | undefined
    let end: RegExpExecArray | null = null
    return new Promise((resolve, reject) => {
      const finish = (allEnded: Promise<void>): void => {
        const status = end?.[1] === 'exit' ? Number(end[2]) : undefined
        resolve({ status, stderr, fired, allEnded })
      }
      const allEnded = new Promise<void>((done) => {
        child.once('close', () => {
          clearTimeout(timer)
          done()
          if (end === null) reject(new Error(`it never ended: ${args.join(' ')}\n${stderr}`))
          else finish(allEnded)
        })
      })
      const lines = createInterface({ input: child.stdio[3] as Readable })
      lines.on('line', (line) => {
        fired ??= /^fired \S+ (.*)$/.exec(line)?.[1]
        end ??= /^(exit|killed) (\d+)$/.exec(line)
        // what it wrote at last may still be on its way
        if (end !== null) setTimeout(() => finish(allEnded), 5)
      })
      child.once('error', reject)
    })
  }
}

/** What comes before a command. */
function asUser(user: number | undefined): string[] {
  if (user === undefined) return []
  return [
    'setpriv',
    '--reuid',
    `${user}`,
    '--regid',
    `${user}`,
    '--clear-groups',
    '--inh-caps=-all'
  ]
}

function callOf(line: string): Call {
  const [, own, name, path] = /^(\+?)(\S+) (.*)$/.exec(line)!
  return { name: name!, path: path!, isOwn: own === '+' }
}
