/** Flags and arguments as sections of a man page. */
import type { Flag, Positional } from '../command.ts'
import { spellings } from '../completion/values.ts'
import { bold, italic } from './roff.ts'
import { sentence } from '../sentence.ts'
import { entry, section } from './section.ts'

export function options(title: string, flags: readonly Flag[]): string[] {
  return section(
    title,
    flags.flatMap((flag) => entry(usageOf(flag), described(flag)))
  )
}

export function positionals(all: readonly Positional[]): string[] {
  return section(
    'ARGUMENTS',
    all.flatMap(({ name, summary }) => entry(italic(name), sentence(summary)))
  )
}

/** A flag as a user gives it, with all its names. */
function usageOf(flag: Flag): string {
  const names = spellings(flag).map(bold).join(', ')
  if (flag.value === undefined) return names
  const value = italic(flag.value)
  return flag.bare === undefined ? `${names} ${value}` : `${names}[=${value}]`
}

function described({ summary, required, choices }: Flag): string {
  const given = choices === undefined ? [] : [`One of ${choices.join(', ')}.`]
  return [sentence(summary), ...given, ...(required === true ? ['Required.'] : [])].join(' ')
}
