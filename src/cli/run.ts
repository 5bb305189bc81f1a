/** The command line: arguments in, exit status out. */
import { existsSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import { readFile } from '../sys/read.ts'
import { flagsFor, normalizeArguments } from './arguments.ts'
import { paintFor } from './color.ts'
import { isSet, text, type Input, type LogLevel } from './command.ts'
import { COMMANDS, PROGRAM_SUMMARY } from './commands/index.ts'
import { errorLine, formatError } from './errors.ts'
import { EXIT, statusOf } from './exit-status.ts'
import { HELP_FLAG, VERSION_FLAG } from './flags.ts'
import { parseArguments, type About } from './program.ts'
import { onSignal } from './signals.ts'
import { errors, output } from './streams.ts'
import { GLOBAL_FLAGS, logLevel, openTerminal } from './terminal.ts'
import { umociHelp } from './umoci-help.ts'
import { umociVersionLines } from './umoci-version.ts'
import { withoutTransports } from './umoci-names.ts'
import { UnknownCommand } from './unknown-command.ts'

/**
 * `name` is the name that the program was called by: `umoci` changes how help and the version look, and that names of
 * images have no transports.
 */
export async function main(args: readonly string[], name: string): Promise<number> {
  const stop = new AbortController()
  output.onFailure = () => stop.abort(output.failure)
  process.on('uncaughtException', (error) => {
    errors.write(formatError(error, false))
    process.exit(EXIT.error)
  })
  const done = await run(args, name, stop)
  const status = await written(done, stop.signal)
  const final = output.failure === undefined ? status : reportOutput(output.failure, args)
  return stop.signal.aborted ? process.exit(final) : final
}

/** After a stop, the program does not wait for a reader that has stopped reading. */
async function written(status: number, signal: AbortSignal): Promise<number> {
  if (signal.aborted) return status
  const stopped = new Promise<number>((resolve) =>
    signal.addEventListener('abort', () => resolve(statusAfter(signal)))
  )
  const all = Promise.all([output.flushed(), errors.flushed()])
  return Promise.race([all.then(() => status), stopped])
}

async function run(args: readonly string[], name: string, stop: AbortController): Promise<number> {
  let level: LogLevel = 'warn'
  let input: Input | undefined
  try {
    const flags = [HELP_FLAG, VERSION_FLAG, ...GLOBAL_FLAGS, ...flagsFor(args, COMMANDS)]
    const about = name === 'umoci' ? aboutAsUmoci() : aboutUs()
    const parsed = parseArguments(normalizeArguments(args, flags), COMMANDS, GLOBAL_FLAGS, about)
    if (parsed === undefined) return EXIT.done
    input = name === 'umoci' ? withoutTransports(parsed.input) : parsed.input
    level = logLevel(input)
    if (isSet(input, 'userns')) {
      const { enterUserNamespace } = await import('./userns.ts')
      const entered = await enterUserNamespace(input, args, () => stop.abort('SIGTERM'))
      if (entered !== 'inside') return entered.status
    }
    onSignal((signal) => stop.abort(signal))
    const terminal = openTerminal(input, level, stop.signal)
    const act = await parsed.command.load()
    return (await act(input, terminal)) ?? EXIT.done
  } catch (error) {
    const paint = paintFor(input, errors, process.env)
    if (output.failure === undefined || !isAborted(error))
      errors.write(
        isJson(input, args) ? errorLine(error) : formatError(error, level === 'debug', paint)
      )
    return exitStatus(error, stop.signal)
  }
}

/** Arguments that could not be understood may still say which form an error is to have. */
function isJson(input: Input | undefined, args: readonly string[]): boolean {
  if (input !== undefined) return text(input, 'progress') === 'json'
  return args.some(
    (arg, index) =>
      /^--?progress=json$/.test(arg) ||
      (arg === 'json' && /^--?progress$/.test(args[index - 1] ?? ''))
  )
}

function aboutUs(): About {
  return { name: 'oci-unpack', summary: PROGRAM_SUMMARY, version: version() }
}

function aboutAsUmoci(): About {
  const own = version()
  return {
    name: 'umoci',
    summary: PROGRAM_SUMMARY,
    version: umociVersionLines(own),
    help: (path) => umociHelp(path, COMMANDS, GLOBAL_FLAGS, own)
  }
}

function version(): string {
  const text = readFile(packageJson(import.meta.url)).toString()
  return (JSON.parse(text) as { version: string }).version
}

/** The package.json of the package that contains this file, however deep the build has put it. */
function packageJson(from: string): URL {
  const file = new URL('package.json', from)
  return existsSync(file) ? file : packageJson(new URL('..', from).href)
}

function exitStatus(error: unknown, signal: AbortSignal): number {
  return error instanceof UnknownCommand ? EXIT.unknownCommand : statusAfter(signal)
}

/** The exit status of work that was not finished, because of a signal or a failure. */
function statusAfter({ reason }: AbortSignal): number {
  return typeof reason === 'string' ? statusOf(reason as NodeJS.Signals) : EXIT.error
}

function isAborted(error: unknown): boolean {
  return error instanceof OciUnpackError && error.code === 'ABORTED'
}

/** Reports nothing if a pipe is no longer read, since the reader closed it on purpose. */
function reportOutput({ code, message }: NodeJS.ErrnoException, args: readonly string[]): number {
  if (code === 'EPIPE') return statusOf('SIGPIPE')
  const reason = /^\w+: (.*?), /.exec(message)?.[1] ?? message
  const error = new OciUnpackError(
    'SYSCALL_FAILED',
    `Writing to standard output failed: ${reason}.`
  )
  errors.write(
    isJson(undefined, args)
      ? errorLine(error)
      : formatError(error, false, paintFor(undefined, errors, process.env))
  )
  return EXIT.error
}
