import { spawnSync } from 'node:child_process'
import { recordRun } from './run-record.ts'

export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end. One that hangs is ended after two minutes (status null). */
export function run(program: string, ...args: string[]): Run {
  const options = { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 28 } as const
  const { status, stdout, stderr, error } = spawnSync(program, args, options)
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'ETIMEDOUT') throw error
  recordRun([program, ...args], status)
  return { status, stdout, stderr }
}

/** The same, for runs that must succeed. */
export function ok(program: string, ...args: string[]): Run {
  return expectOk(run(program, ...args), [program, ...args].join(' '))
}

export function expectOk(result: Run, command: string): Run {
  if (result.status === 0) return result
  throw new Error(`${command}: exit status ${String(result.status)}\n${result.stderr}`)
}
