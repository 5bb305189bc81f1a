import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const main = new URL('../../dist/cli/main.js', import.meta.url).pathname

/** The command line as a program and its first arguments. */
export const ociUnpackCommand: readonly [string, string] = [process.execPath, main]

export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs the built command line as a user does. A run that hangs is ended after two minutes (status null). */
export function ociUnpack(...args: string[]): Run {
  if (!existsSync(main)) throw new Error('the end-to-end tests run dist: npm run build first')
  return run(...ociUnpackCommand, ...args)
}

/** The same, for runs that must succeed. */
export function ociUnpackOk(...args: string[]): Run {
  return expectOk(ociUnpack(...args), `oci-unpack ${args.join(' ')}`)
}

/** Another program that must succeed. */
export function ok(program: string, ...args: string[]): Run {
  return expectOk(run(program, ...args), [program, ...args].join(' '))
}

export function run(program: string, ...args: string[]): Run {
  const options = { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 28 } as const
  const { status, stdout, stderr, error } = spawnSync(program, args, options)
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'ETIMEDOUT') throw error
  return { status, stdout, stderr }
}

function expectOk(result: Run, command: string): Run {
  if (result.status === 0) return result
  throw new Error(`${command}: exit status ${String(result.status)}\n${result.stderr}`)
}
