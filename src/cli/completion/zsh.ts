/** The commands as functions of zsh that call _arguments: zshcompsys(1). */
import type { Flag, Positional, ValueKind } from '../command.ts'
import { allNodes, type CommandNode } from '../command-tree.ts'
import { dashed, knownWords, spellings } from './values.ts'

/** A function for each command, named by its path: `_oci-unpack_raw_unpack`. */
export function zshTable(root: CommandNode): string {
  return allNodes(root).map(declaredFunction).join('\n\n')
}

function declaredFunction(node: CommandNode): string {
  const specs = [
    ...node.flags.flatMap(flagSpecs),
    ...node.positionals.map(positionalSpec),
    ...(node.children.length === 0 ? [] : ["'1:command:->command'", "'*::argument:->argument'"])
  ]
  return [
    `${functionName(node)}() {`,
    `  _arguments ${node.children.length === 0 ? '' : '-C '}\\`,
    `    ${specs.join(' \\\n    ')}`,
    ...(node.children.length === 0 ? [] : dispatch(node)),
    '}'
  ].join('\n')
}

function functionName({ path }: CommandNode): string {
  return ['_oci-unpack', ...(path.length === 0 ? ['program'] : path)].join('_')
}

/** The code for a word that follows. */
function dispatch({ children }: CommandNode): string[] {
  const rows = children.map(({ path, summary }) => quoted(`${path.at(-1)!}:${summary}`))
  const branches = children.map((child) => {
    const names = [child.path.at(-1)!, ...child.aliases]
    return `    argument:${names.length === 1 ? names[0]! : `(${names.join('|')})`}) ${functionName(child)} ;;`
  })
  return [
    '  case $state:$words[1] in',
    `    command:*) _oci-unpack-commands ${rows.join(' ')} ;;`,
    ...branches,
    '  esac'
  ]
}

/** A flag that may not be repeated is not offered again by any of its names. */
function flagSpecs(flag: Flag): string[] {
  const all = spellings(flag)
  const before = flag.repeatable === true ? '*' : `(${all.join(' ')})`
  return [flag.name, ...(flag.aliases ?? [])].map((name) => {
    const assigned = flag.value !== undefined && name.length > 1 ? '=' : ''
    const text = `[${escaped(flag.summary, /[\\\]:]/g)}]`
    const value = flag.value === undefined ? '' : `:${message(flag.value)}:${action(flag)}`
    return quoted(`${before}${dashed(name)}${assigned}${text}${value}`)
  })
}

function positionalSpec(positional: Positional, index: number): string {
  const colon = positional.optional === true ? '::' : ':'
  return quoted(`${index + 1}${colon}${message(positional.name)}:${action(positional)}`)
}

/**
 * A leading space keeps _arguments from adding words of its own to the call. If there is nothing to offer, the list is
 * empty: a message in its place would prevent the completion of flags.
 */
function action(value: Flag | Positional): string {
  const words = knownWords(value)
  if (value.kind === 'file' && words.length > 0) return ` _oci-unpack-or-file ${words.join(' ')}`
  if (words.length > 0) return `(${words.join(' ')})`
  return value.kind === undefined ? '()' : ACTIONS[value.kind]
}

const ACTIONS: Readonly<Record<ValueKind, string>> = {
  file: '_files',
  directory: '_files -/',
  image: ' _oci-unpack-image image',
  source: ' _oci-unpack-image source',
  'source-layout': ' _oci-unpack-image source-layout'
}

function message(text: string): string {
  return escaped(text, /[\\:]/g)
}

function escaped(text: string, special: RegExp): string {
  return text.replaceAll(special, '\\$&')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
