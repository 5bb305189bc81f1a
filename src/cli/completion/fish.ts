/** The commands as calls of fish's `complete`. */
import type { Flag, Positional, ValueKind } from '../command.ts'
import { allNodes, type CommandNode } from '../command-tree.ts'
import { knownWords } from './values.ts'

/** What the functions need to know first, then a row for each word, flag and positional. */
export function fishTable(root: CommandNode, globals: readonly Flag[]): string {
  const nodes = allNodes(root)
  const groups = root.children.filter(({ children }) => children.length > 0)
  const valued = nodes.flatMap(({ flags }) => flags.filter(({ value }) => value !== undefined))
  const names = valued.flatMap(({ name, aliases = [] }) => [name, ...aliases])
  return [
    `set -g __oci_unpack_groups ${groups.map(({ path }) => path[0]!).join(' ')}`,
    `set -g __oci_unpack_valued ${[...new Set(names)].join(' ')}`,
    '',
    row('', '-f'),
    ...globals.map((flag) => flagRow('', flag)),
    ...nodes.flatMap((node) => ['', ...nodeRows(node, globals)])
  ].join('\n')
}

function nodeRows(node: CommandNode, globals: readonly Flag[]): string[] {
  const names = [node.path.at(-1) ?? '', ...node.aliases]
  const paths = names.map((name) => [...node.path.slice(0, -1), name].join(' '))
  const words = paths.map((path) => `"${path}"`).join(' ')
  const here = `-n '__oci_unpack_at ${words}'`
  return [
    ...node.children.map(({ path, summary }) =>
      row(here, `-a ${path.at(-1)!} -d ${quoted(summary)}`)
    ),
    ...node.flags.filter((flag) => !globals.includes(flag)).map((flag) => flagRow(here, flag)),
    ...node.positionals.flatMap((positional, index) => {
      const found = values(positional)
      return found === '' ? [] : [row(`-n '__oci_unpack_positional ${index + 1} ${words}'`, found)]
    })
  ]
}

function flagRow(condition: string, flag: Flag): string {
  const names = [flag.name, ...(flag.aliases ?? [])]
  const spelled = names.map((name) => (name.length === 1 ? `-s ${name}` : `-l ${name}`))
  const value = flag.value === undefined ? [] : [values(flag) || '-x']
  return row(condition, [...spelled, ...value, `-d ${quoted(flag.summary)}`].join(' '))
}

/** Empty if nothing is known. */
function values(value: Flag | Positional): string {
  const words = knownWords(value).join(' ')
  const files = value.kind === undefined ? '' : KINDS[value.kind]
  return [files || (words === '' ? '' : '-x'), words === '' ? '' : `-a ${quoted(words)}`]
    .filter((part) => part !== '')
    .join(' ')
}

const KINDS: Readonly<Record<ValueKind, string>> = {
  file: '-r -F',
  directory: "-x -a '(__fish_complete_directories)'",
  image: "-x -a '(__oci_unpack_image image)'",
  source: "-x -a '(__oci_unpack_image source)'",
  'source-layout': "-x -a '(__oci_unpack_image source-layout)'"
}

function row(condition: string, rest: string): string {
  return ['complete -c oci-unpack', condition, rest].filter((part) => part !== '').join(' ')
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
