/**
 * What a command is, as data: the parser, the help and generated documentation read the same declaration. The work
 * behind it is loaded only when it runs.
 */
import type { Paint } from './paint.ts'

/** What a value names, so that shells can complete it. A source may have a transport before its path. */
export type ValueKind = 'file' | 'directory' | 'image' | 'source' | 'source-layout'

export interface Flag {
  /** Without dashes. */
  name: string
  /** The name of the option in hints of the library, if that is not the flag's name in camel case. */
  option?: string
  /** Other names, which may have only one letter. */
  aliases?: readonly string[]
  /** A value may follow an alias of one letter without a space (`-oVALUE`), as in the program that the flag is known from. */
  attached?: boolean
  /** A placeholder for the value; a flag without one is a switch. */
  value?: string
  /** The value that the flag has without an equals sign; then the next word is not its value, as for a switch in Go. */
  bare?: string
  summary: string
  repeatable?: boolean
  required?: boolean
  /** All values that it accepts. */
  choices?: readonly string[]
  /** Some of the values that it accepts. */
  suggestions?: readonly string[]
  kind?: ValueKind
}

export interface Positional {
  name: string
  summary: string
  optional?: boolean
  /** One or more, even if others follow. */
  variadic?: boolean
  suggestions?: readonly string[]
  kind?: ValueKind
}

/** A variable of the environment. */
export interface Variable {
  name: string
  summary: string
}

export interface Command {
  /** `['raw', 'unpack']` is `oci-unpack raw unpack`. */
  path: readonly string[]
  /** Other words for the last one of the path. */
  aliases?: readonly string[]
  /** The group alone means this command where a flag follows it directly. */
  isDefault?: boolean
  summary: string
  description?: string
  positionals: readonly Positional[]
  flags: readonly Flag[]
  environment?: readonly Variable[]
  examples: readonly string[]
  load: () => Promise<Run>
}

/** What the user gave, by flag name; switches are `true`, repeatable flags are lists. */
export interface Input {
  positionals: readonly string[]
  flags: Readonly<Record<string, string | true | readonly string[] | undefined>>
}

/** Resolves with an exit status, if that is not the one of success. */
export type Run = (input: Input, terminal: Terminal) => Promise<void> | Promise<number>

/** The outside world of a command. */
export interface Terminal {
  out: (text: string | Uint8Array) => void
  /** Resolves when everything so far is written, or nothing more can be. */
  written: () => Promise<void>
  /** Colours what goes to `out`. */
  paint: Paint
  log: Logger
  progress: ProgressMode
  /** Aborted by Ctrl-C and other signals, and when standard output can no longer be written to. */
  signal: AbortSignal
}

export type ProgressMode = 'tty' | 'plain' | 'json' | 'none'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface Logger {
  level: LogLevel
  write: (level: LogLevel, text: string) => void
}

export function text(input: Input, name: string): string | undefined {
  const value = input.flags[name]
  return typeof value === 'string' ? value : undefined
}

export function texts(input: Input, name: string): readonly string[] {
  const value = input.flags[name]
  return Array.isArray(value) ? (value as readonly string[]) : []
}

export function isSet(input: Input, name: string): boolean {
  return input.flags[name] === true
}
