/** What shells can offer for flags and their values. */
import type { Flag, Positional } from '../command.ts'

/** The words that a value can be, if they are known. */
export function knownWords(value: Flag | Positional): readonly string[] {
  return ('choices' in value ? value.choices : undefined) ?? value.suggestions ?? []
}

/** A flag with its dashes, in each of its spellings. */
export function spellings({ name, aliases = [] }: Flag): string[] {
  return [name, ...aliases].map(dashed)
}

export function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`
}
