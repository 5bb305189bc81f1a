/** The words `help` and `h` of umoci's command line: `h`, `help stat`, `raw h unpack`. */
import { display, fromText } from '../bytes.ts'
import type { Command } from './command.ts'
import { UnknownCommand } from './unknown-command.ts'

/**
 * Arguments that ask for help with a word, as a path with `--help`; others are unchanged. The word comes first or after a
 * group, and the words after it lead to a command; those that lead no further are ignored, as in umoci.
 * @throws UnknownCommand if the first of them is unknown
 */
export function helpWordsAsFlag(args: readonly string[], commands: readonly Command[]): string[] {
  const words = wordsOf(args)
  const at = words.findIndex((word) => HELP_WORDS.includes(word))
  const group = words.slice(0, at)
  if (at === -1 || (at > 0 && (at > 1 || !isPrefix(group, commands)))) return [...args]
  return [...topic(group, words.slice(at + 1), commands), '--help']
}

const HELP_WORDS = ['help', 'h']

/** What is neither a flag nor its value, which normalized arguments contain in one piece. */
function wordsOf(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).filter((arg) => !arg.startsWith('-'))
}

function topic(
  group: readonly string[],
  words: readonly string[],
  commands: readonly Command[]
): readonly string[] {
  const [next, ...rest] = words
  if (next === undefined || HELP_WORDS.includes(next)) return group
  const path = [...group, next]
  if (isCommand(path, commands)) return path
  if (!isPrefix(path, commands)) throw unknownTopic(next)
  const deeper = rest[0] === undefined ? path : [...path, rest[0]]
  return isCommand(deeper, commands) ? deeper : path
}

function isCommand(path: readonly string[], commands: readonly Command[]): boolean {
  return commands.some((command) => {
    const names = [command.path.at(-1)!, ...(command.aliases ?? [])]
    return (
      command.path.length === path.length &&
      startsWith(command, path.slice(0, -1)) &&
      names.includes(path.at(-1)!)
    )
  })
}

function isPrefix(path: readonly string[], commands: readonly Command[]): boolean {
  return commands.some((command) => command.path.length > path.length && startsWith(command, path))
}

function startsWith({ path }: Command, start: readonly string[]): boolean {
  return start.every((word, index) => word === path[index])
}

function unknownTopic(name: string): UnknownCommand {
  return new UnknownCommand('USAGE', `No help topic for '${display(fromText(name))}'.`)
}
