/** The process that a command runs in: its log, its progress, and what stops it. */
import { OciUnpackError } from '../errors.ts'
import { COLOR_FLAG, paintFor } from './color.ts'
import type { Style } from './paint.ts'
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
import { errors, output } from './streams.ts'

export const GLOBAL_FLAGS: readonly Flag[] = [
  {
    name: 'log',
    value: 'LEVEL',
    summary: 'how much to log on stderr (default: warn)',
    choices: LOG_LEVELS
  },
  { name: 'verbose', summary: 'the same as --log=info' },
  {
    name: 'progress',
    value: 'MODE',
    summary: 'how to show progress on stderr (default: auto, which shows none without a terminal)',
    choices: ['auto', 'plain', 'json', 'none']
  },
  COLOR_FLAG,
  {
    name: 'userns',
    summary: 'run the command in a new user namespace with your subordinate ids'
  }
]

const LEVEL_STYLES: Readonly<Record<LogLevel, Style>> = {
  debug: 'aside',
  info: 'aside',
  warn: 'yellow',
  error: 'failure',
  fatal: 'failure'
}

/** @throws USAGE */
export function logLevel(input: Input): LogLevel {
  const level = text(input, 'log') as LogLevel | undefined
  if (!isSet(input, 'verbose')) return level ?? 'warn'
  if (level === undefined) return 'info'
  throw new OciUnpackError('USAGE', '--log and --verbose cannot be used together.')
}

export function openTerminal(input: Input, level: LogLevel, signal: AbortSignal): Terminal {
  const paint = paintFor(input, errors, process.env)
  const progress = progressMode(input)
  return {
    paint: paintFor(input, output, process.env),
    out: (text) => output.write(text),
    written: () => output.flushed(),
    log: {
      level,
      write(of, message) {
        if (LOG_LEVELS.indexOf(of) < LOG_LEVELS.indexOf(level)) return
        if (progress === 'json')
          errors.write(`${JSON.stringify({ type: 'log', level: of, message })}\n`)
        else errors.write(`${paint(LEVEL_STYLES[of], `${of}:`)} ${message}\n`)
      }
    },
    progress,
    signal
  }
}

function progressMode(input: Input): ProgressMode {
  const mode = text(input, 'progress') ?? 'auto'
  if (mode === 'plain' || mode === 'json' || mode === 'none') return mode
  return errors.isTTY ? 'tty' : 'none'
}
