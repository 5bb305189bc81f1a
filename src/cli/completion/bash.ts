/** The commands as a function for bash's completion. */
import type { Flag, Positional } from '../command.ts'
import { allNodes, type CommandNode } from '../command-tree.ts'
import { knownWords, spellings } from './values.ts'

/**
 * `_oci_unpack_declared PATH` sets `commands` (words that may follow), `flags`, `positionals` and `takes` (by flag
 * names); values are `KIND WORD…`. It fails if PATH is not a command.
 */
export function bashTable(root: CommandNode): string {
  return [
    '_oci_unpack_declared() {',
    '  case $1 in',
    ...allNodes(root).flatMap(branch),
    '    *) return 1 ;;',
    '  esac',
    '}'
  ].join('\n')
}

function branch({ path, aliases, flags, positionals, children }: CommandNode): string[] {
  const names = [path.at(-1) ?? '', ...aliases]
  const words = names.map((name) => quoted([...path.slice(0, -1), name].join(' ')))
  return [
    `    ${words.join(' | ')})`,
    `      commands=(${children.map((child) => child.path.at(-1)!).join(' ')})`,
    `      flags=(${flags.flatMap(spellings).join(' ')})`,
    `      takes=(${flags.flatMap(taken).join(' ')})`,
    `      positionals=(${positionals.map((it) => quoted(valueOf(it))).join(' ')})`,
    '      ;;'
  ]
}

function taken(flag: Flag): string[] {
  if (flag.value === undefined) return []
  return [flag.name, ...(flag.aliases ?? [])].map((name) => `[${name}]=${quoted(valueOf(flag))}`)
}

function valueOf(value: Flag | Positional): string {
  return [value.kind ?? 'word', ...knownWords(value)].join(' ')
}

function quoted(text: string): string {
  return `'${text}'`
}
