/** Turns the declarations into a commander program. */
import { Command as Commander, CommanderError, Help, Option } from 'commander'
import { OciUnpackError } from '../errors.ts'
import type { Command, Flag, Input, Positional } from './command.ts'
import { GROUPS } from './commands/groups.ts'
import { withDefaultCommand } from './default-command.ts'
import { HELP_FLAG, VERSION_FLAG } from './flags.ts'
import { helpWordsAsFlag } from './help-words.ts'
import { sentence } from './sentence.ts'
import { output } from './streams.ts'
import { UnknownCommand } from './unknown-command.ts'

export interface Invocation {
  command: Command
  input: Input
}

export interface About {
  name: string
  summary: string
  /** Everything that --version prints. */
  version: string
  /** Replaces commander's help; the path is that of a command or group, or empty for the program. */
  help?: (path: readonly string[]) => string
}

/** Reads the arguments. Undefined if help or the version was printed. @throws USAGE, UnknownCommand */
export function parseArguments(
  args: readonly string[],
  commands: readonly Command[],
  globals: readonly Flag[],
  about: About
): Invocation | undefined {
  let found: Invocation | undefined
  const program = new Commander(about.name)
    .description(about.summary)
    .version(about.version, '-v, --version', VERSION_FLAG.summary)
    .helpOption('-h, --help', HELP_FLAG.summary)
  configure(program, [], about)
  for (const flag of globals) program.addOption(toOption(flag))
  for (const command of commands)
    declare(program, command, about).action((...received: unknown[]) => {
      const own = received.at(-1) as Commander
      found = { command, input: toInput(own, [...globals, ...command.flags]) }
    })
  try {
    if (args.length === 0) program.outputHelp()
    else
      program.parse(helpWordsAsFlag(withDefaultCommand(args, commands), commands), { from: 'user' })
  } catch (error) {
    rethrow(error, args, commands)
  }
  return found
}

function rethrow(error: unknown, args: readonly string[], commands: readonly Command[]): void {
  if (!(error instanceof CommanderError)) throw error
  if (error.exitCode === 0 || error.code === 'commander.help') return
  const message = inOurWords(withoutValue(error.message))
  if (error.code === 'commander.unknownCommand') throw new UnknownCommand('USAGE', message)
  const hint = valueApart(args) ?? ofOneSide(message, args, commands) ?? 'See --help.'
  throw new OciUnpackError('USAGE', message, { hint })
}

/** `--creds` where there are two registries, each with its own. */
function ofOneSide(
  message: string,
  args: readonly string[],
  commands: readonly Command[]
): string | undefined {
  const name = /^Unknown option '--([^']+)'/.exec(message)?.[1]
  const command = commands.find(({ path }) => path.every((word, i) => args[i] === word))
  const sides = command?.flags.filter((flag) => /^(?:src|dest)-/.test(flag.name)) ?? []
  const [first, second] = sides.filter((flag) => flag.name.replace(/^[a-z]+-/, '') === name)
  return second && `Use --${first!.name} or --${second.name}.`
}

/** `--tls-verify false` is a flag and an argument, because `--tls-verify` alone means something, too. */
function valueApart(args: readonly string[]): string | undefined {
  const position = args.findIndex((it) => it === 'true' || it === 'false')
  const [flag] = args[position - 1]?.split('=') ?? []
  return flag?.startsWith('--') ? `Write ${flag}=${args[position]}.` : undefined
}

/** The value of an option that a command does not have may be a password. */
function withoutValue(message: string): string {
  return message.replace(/^(error: unknown option '[^'=]*)=.*?'(?=\n|$)/s, "$1'")
}

/** Rewrites commander's `error: unknown option '--imag'` and the advice in parentheses below it in our style. */
function inOurWords(message: string): string {
  const [what = '', ...advice] = message.replace(/^error: /, '').split('\n')
  return [sentence(what), ...advice].join(' ')
}

function configure(program: Commander, path: readonly string[], { help }: About): void {
  // a group without a command shows its help as an error; umoci prints it and succeeds
  const writeOut = (help: string): void => output.write(help)
  program
    .exitOverride()
    .configureOutput({ writeOut, writeErr: writeOut, outputError: () => undefined })
  program.configureHelp(help === undefined ? { subcommandTerm } : { formatHelp: () => help(path) })
}

/** Commands whose usage is not what commander makes of their positionals. */
const usages = new WeakMap<Commander, string>()

/** A command in the list of a group. */
function subcommandTerm(command: Commander): string {
  const usage = usages.get(command)
  return usage === undefined ? new Help().subcommandTerm(command) : `${command.name()} ${usage}`
}

function declare(program: Commander, command: Command, about: About): Commander {
  let parent = program
  for (const [index, name] of command.path.slice(0, -1).entries())
    parent =
      parent.commands.find((it) => it.name() === name) ??
      group(parent, command.path.slice(0, index + 1), about)
  const declared = parent.command(command.path.at(-1)!).summary(command.summary)
  declared.aliases([...(command.aliases ?? [])])
  declared.description([command.summary, command.description].filter(Boolean).join('\n\n'))
  configure(declared, command.path, about)
  declarePositionals(declared, command.positionals)
  for (const flag of command.flags) declared.addOption(toOption(flag))
  if (about.help === undefined)
    declared.addHelpText('after', `${environment(command)}\nExamples:\n${indent(command.examples)}`)
  return declared
}

/** In commander only the last positional may be repeated. Only the total count matters, and the usage text shows the rest. */
function declarePositionals(declared: Commander, positionals: readonly Positional[]): void {
  const isVariadic = positionals.some(({ variadic }) => variadic === true)
  for (const [index, { name, summary, optional }] of positionals.entries()) {
    const term = isVariadic && index === positionals.length - 1 ? `${name}...` : name
    declared.argument(optional === true ? `[${term}]` : `<${term}>`, summary)
  }
  if (!isVariadic) return
  const usage = `[options] ${positionals.map(usageOf).join(' ')}`
  usages.set(declared, usage)
  declared.usage(usage)
}

function usageOf({ name, optional, variadic }: Positional): string {
  const term = variadic === true ? `${name}...` : name
  return optional === true ? `[${term}]` : `<${term}>`
}

function environment({ environment = [] }: Command): string {
  const width = Math.max(...environment.map(({ name }) => name.length))
  const rows = environment.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}`)
  return rows.length === 0 ? '' : `\nEnvironment:\n${indent(rows)}\n`
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}

function group(parent: Commander, path: readonly string[], about: About): Commander {
  const made = parent.command(path.at(-1)!).description(GROUPS[path.join(' ')]!)
  configure(made, path, about)
  return made
}

function toOption(flag: Flag): Option {
  const aliases = flag.aliases ?? []
  const summary =
    aliases.length === 0 ? flag.summary : `${flag.summary} (also ${aliases.map(dashed).join(', ')})`
  const option = new Option([`--${flag.name}`, ...valueOf(flag)].join(' '), summary)
  if (flag.choices !== undefined) option.choices(flag.choices)
  if (flag.repeatable === true)
    option.argParser((value: string, previous: string[] | undefined) => [
      ...(previous ?? []),
      value
    ])
  return option
}

function valueOf({ value, bare }: Flag): string[] {
  if (value === undefined) return []
  return [bare === undefined ? `<${value}>` : `[${value}]`]
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`
}

/** An unset variable of a script must not name the working directory or the root of an image. */
function assertNoneEmpty(positionals: readonly string[]): void {
  const empty = positionals.indexOf('')
  if (empty === -1) return
  throw new OciUnpackError('USAGE', `Argument ${empty + 1} of the command is empty.`, {
    hint: 'If it comes from a variable, is the variable set?'
  })
}

/**
 * Stores values under the flags' own names, because commander changes them: dashes become capitals, and `--no-x` a
 * false `x`.
 */
function toInput(parsed: Commander, declared: readonly Flag[]): Input {
  assertNoneEmpty(parsed.args)
  const values = parsed.optsWithGlobals<Record<string, unknown>>()
  const flags: Record<string, Input['flags'][string]> = {}
  for (const flag of declared) {
    const option = toOption(flag)
    const value = values[option.attributeName()]
    if (option.negate) flags[flag.name] = value === false ? true : undefined
    else flags[flag.name] = value as Input['flags'][string]
  }
  return { positionals: parsed.args, flags }
}
