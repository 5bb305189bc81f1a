/** Help in umoci's form, for programs that parse them. Used if the program is called by umoci's name. */
import type { Command, Flag } from './command.ts'
import { GROUPS } from './commands/groups.ts'
import { umociVersion } from './umoci-version.ts'
import { wrap } from './wrap.ts'

/** The help of the program (an empty path), of a group or of a command. */
export function umociHelp(
  path: readonly string[],
  commands: readonly Command[],
  globals: readonly Flag[],
  ownVersion: string
): string {
  const command = commands.find((it) => isSame(it.path, path))
  if (command !== undefined) return commandHelp(command)
  const below = commands.filter((it) => isSame(it.path.slice(0, path.length), path))
  return path.length === 0
    ? programHelp(below, globals, ownVersion)
    : groupHelp(path, below.map(lastWord))
}

function programHelp(
  commands: readonly Command[],
  globals: readonly Flag[],
  ownVersion: string
): string {
  const groups = commands.flatMap(({ path }) => (path.length > 1 ? [path[0]!] : []))
  const uncategorized = [
    ...[...new Set(groups)].map((name): Row => [name, GROUPS[name]!]),
    ['help, h', 'show the help of a command'] as const
  ]
  const single = commands.filter(({ path }) => path.length === 1).map(lastWord)
  return sections(
    ['NAME', ['umoci - umoci modifies Open Container images']],
    ['USAGE', ['umoci [global options] command [command options] [arguments...]']],
    ['VERSION', [umociVersion(ownVersion)]],
    ['COMMANDS', [...columns(uncategorized), ...categories(single)]],
    ['GLOBAL OPTIONS', columns([...globals.map(flagRow), HELP_ROW, VERSION_ROW])]
  )
}

function groupHelp(path: readonly string[], commands: readonly NamedCommand[]): string {
  const name = path.join(' ')
  return sections(
    ['NAME', [`umoci ${name} - ${GROUPS[name]!}`]],
    ['USAGE', [`umoci ${name} command [command options] [arguments...]`]],
    ['COMMANDS', categories(commands)],
    ['OPTIONS', columns([HELP_ROW])]
  )
}

function commandHelp(command: Command): string {
  const name = `umoci ${command.path.join(' ')}`
  const required = command.flags.filter((flag) => flag.name === 'image' || flag.name === 'layout')
  const usage = [
    ...required.map((flag) => `--${flag.name} <${flag.value!}>`),
    ...command.positionals.map((it) => (it.optional === true ? `[${it.name}]` : `<${it.name}>`))
  ]
  return sections(
    ['NAME', [`${name} - ${command.summary}`]],
    ['USAGE', [[name, '[command options]', ...usage].join(' ')], command.description],
    ['CATEGORY', [categoryOf(command)]],
    ['OPTIONS', columns(command.flags.map(flagRow))]
  )
}

type Row = readonly [left: string, right: string]

const HELP_ROW: Row = ['--help, -h', 'show help']
const VERSION_ROW: Row = ['--version, -v', 'print the version']

interface NamedCommand {
  command: Command
  name: string
}

function lastWord(command: Command): NamedCommand {
  const name = command.path.at(-1)!
  return { command, name: [name, ...(command.aliases ?? [])].join(', ') }
}

function categories(commands: readonly NamedCommand[]): string[] {
  return (['image', 'layout'] as const).flatMap((category) => {
    const own = commands.filter(({ command }) => categoryOf(command) === category)
    if (own.length === 0) return []
    const rows = own.map(({ command, name }): Row => [name, command.summary])
    return ['', `${category}:`, ...columns(rows).map((line) => `  ${line}`)]
  })
}

function categoryOf({ flags }: Command): 'image' | 'layout' {
  return flags.some(({ name }) => name === 'layout') ? 'layout' : 'image'
}

function flagRow(flag: Flag): Row {
  const names = [flag.name, ...(flag.aliases ?? [])]
  const value = flag.value === undefined ? '' : ' value'
  return [names.map((name) => `--${name}${value}`).join(', '), flag.summary]
}

function columns(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`)
}

type Section = readonly [title: string, lines: readonly string[], text?: string | undefined]

/** The text of a section is not indented. */
function sections(...all: readonly Section[]): string {
  const shown = all.map(([title, lines, text]) => {
    const body = lines.map((line) => (line === '' ? '' : `   ${line}`)).join('\n')
    return `${title}:\n${body}\n${text === undefined ? '' : `\n${wrap(text, WIDTH).join('\n')}\n`}`
  })
  return shown.join('\n')
}

const WIDTH = 80

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index])
}
