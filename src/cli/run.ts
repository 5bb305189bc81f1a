/** The command line: arguments in, exit status out. */
import { existsSync, readFileSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import { normalizeArguments } from './arguments.ts'
import { paintFor } from './color.ts'
import type { Input, LogLevel } from './command.ts'
import { COMMANDS, PROGRAM_SUMMARY } from './commands/index.ts'
import { formatError } from './errors.ts'
import { EXIT } from './exit-status.ts'
import { parseArguments, UnknownCommand, type About } from './program.ts'
import { GLOBAL_FLAGS, logLevel, openTerminal } from './terminal.ts'
import { umociHelp, umociVersion } from './umoci-help.ts'

/** `name` is what we were called by: `umoci` changes what help and the version look like, and nothing else. */
export async function main(args: readonly string[], name: string): Promise<number> {
  let level: LogLevel = 'warn'
  let input: Input | undefined
  try {
    const flags = [...GLOBAL_FLAGS, ...COMMANDS.flatMap((command) => command.flags)]
    const about = name === 'umoci' ? aboutAsUmoci() : aboutUs()
    const parsed = parseArguments(normalizeArguments(args, flags), COMMANDS, GLOBAL_FLAGS, about)
    if (parsed === undefined) return EXIT.done
    input = parsed.input
    level = logLevel(input)
    const terminal = openTerminal(input, level)
    const run = await parsed.command.load()
    await run(input, terminal)
    return EXIT.done
  } catch (error) {
    const paint = paintFor(input, process.stderr, process.env)
    process.stderr.write(formatError(error, level === 'debug', paint))
    return exitStatus(error)
  }
}

function aboutUs(): About {
  return { name: 'oci-unpack', summary: PROGRAM_SUMMARY, version: version() }
}

function aboutAsUmoci(): About {
  const own = version()
  return {
    name: 'umoci',
    summary: PROGRAM_SUMMARY,
    version: umociVersion(own),
    help: (path) => umociHelp(path, COMMANDS, GLOBAL_FLAGS, own)
  }
}

function version(): string {
  return (JSON.parse(readFileSync(packageJson(import.meta.url), 'utf8')) as { version: string })
    .version
}

/** Of the package that this file is part of, however deep in it the build put it. */
function packageJson(from: string): URL {
  const file = new URL('package.json', from)
  return existsSync(file) ? file : packageJson(new URL('..', from).href)
}

function exitStatus(error: unknown): number {
  if (error instanceof UnknownCommand) return EXIT.unknownCommand
  if (error instanceof OciUnpackError && error.code === 'ABORTED') return EXIT.interrupted
  return EXIT.error
}
