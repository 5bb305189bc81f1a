/** The command line: arguments in, exit status out. */
import { readFileSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import { normalizeArguments } from './arguments.ts'
import type { LogLevel } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { formatError } from './errors.ts'
import { parseArguments, UnknownCommand } from './program.ts'
import { GLOBAL_FLAGS, logLevel, openTerminal } from './terminal.ts'

const SUMMARY = 'Unpacks OCI images into runtime bundles, in parallel and verified.'

/** umoci's numbers: 1 for any error, 3 for a command that does not exist; 128 + SIGINT when interrupted. */
const EXIT = { error: 1, unknownCommand: 3, interrupted: 130 } as const

export async function main(args: readonly string[]): Promise<number> {
  let level: LogLevel = 'warn'
  try {
    const flags = [...GLOBAL_FLAGS, ...COMMANDS.flatMap((command) => command.flags)]
    const about = { name: 'oci-unpack', summary: SUMMARY, version: version() }
    const parsed = parseArguments(normalizeArguments(args, flags), COMMANDS, GLOBAL_FLAGS, about)
    if (parsed === undefined) return 0
    level = logLevel(parsed.input)
    const run = await parsed.command.load()
    await run(parsed.input, openTerminal(parsed.input, level))
    return 0
  } catch (error) {
    process.stderr.write(formatError(error, level === 'debug'))
    return exitStatus(error)
  }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function exitStatus(error: unknown): number {
  if (error instanceof UnknownCommand) return EXIT.unknownCommand
  if (error instanceof OciUnpackError && error.code === 'ABORTED') return EXIT.interrupted
  return EXIT.error
}
