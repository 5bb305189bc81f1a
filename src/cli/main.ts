#!/usr/bin/env node
/** The command line: arguments in, exit status out. */
import { readFileSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import { normalizeArguments } from './arguments.ts'
import {
  isSet,
  LOG_LEVELS,
  text,
  type Flag,
  type Input,
  type LogLevel,
  type ProgressMode,
  type Terminal
} from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { formatError } from './errors.ts'
import { parseArguments, UnknownCommand } from './program.ts'

const GLOBALS: readonly Flag[] = [
  {
    name: 'log',
    value: 'LEVEL',
    summary: 'how much to say on stderr: debug, info, warn, error, fatal (default: warn)',
    choices: LOG_LEVELS
  },
  { name: 'verbose', summary: 'the same as --log=info' },
  {
    name: 'progress',
    value: 'MODE',
    summary:
      'auto, plain, json or none, on stderr (default: auto, which is none without a terminal)',
    choices: ['auto', 'plain', 'json', 'none']
  }
]

/** umoci's numbers: 1 for any error, 3 for a command that does not exist; 128 + SIGINT when interrupted. */
const EXIT = { error: 1, unknownCommand: 3, interrupted: 130 } as const

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let level: LogLevel = 'warn'
  try {
    const flags = [...GLOBALS, ...COMMANDS.flatMap((command) => command.flags)]
    const about = { name: 'oci-unpack', summary: SUMMARY, version: version() }
    const parsed = parseArguments(normalizeArguments(args, flags), COMMANDS, GLOBALS, about)
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

const SUMMARY = 'Unpacks OCI images into runtime bundles, in parallel and verified.'

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function exitStatus(error: unknown): number {
  if (error instanceof UnknownCommand) return EXIT.unknownCommand
  if (error instanceof OciUnpackError && error.code === 'ABORTED') return EXIT.interrupted
  return EXIT.error
}

function logLevel(input: Input): LogLevel {
  const level = text(input, 'log') as LogLevel | undefined
  if (!isSet(input, 'verbose')) return level ?? 'warn'
  if (level === undefined) return 'info'
  throw new OciUnpackError('USAGE', '--log and --verbose exclude each other.')
}

function openTerminal(input: Input, level: LogLevel): Terminal {
  return {
    out: (output) => void process.stdout.write(output),
    log: {
      level,
      write(of, message) {
        if (LOG_LEVELS.indexOf(of) >= LOG_LEVELS.indexOf(level))
          process.stderr.write(`${of}: ${message}\n`)
      }
    },
    progress: progressMode(input),
    signal: interruption()
  }
}

function progressMode(input: Input): ProgressMode {
  const mode = text(input, 'progress') ?? 'auto'
  if (mode === 'plain' || mode === 'json' || mode === 'none') return mode
  return process.stderr.isTTY ? 'tty' : 'none'
}

/** The first signal asks for a clean stop; a second one ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => controller.abort(new Error(signal)))
  return controller.signal
}
