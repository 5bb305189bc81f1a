/** Generates the files of `contrib/` that describe the command line. No command needs this. */
import type { Command } from './command.ts'
import { COMMANDS, PROGRAM_SUMMARY } from './commands/index.ts'
import { commandTree } from './command-tree.ts'
import { bashTable } from './completion/bash.ts'
import { fishTable } from './completion/fish.ts'
import { zshTable } from './completion/zsh.ts'
import { HELP_FLAG } from './flags.ts'
import { commandPage, pageName } from './man/command-page.ts'
import { programPage } from './man/program-page.ts'
import { GLOBAL_FLAGS } from './terminal.ts'
import { withTransports } from './transport-texts.ts'

/** Paths with their texts. `read` returns files of the project: the hand-written part of each completion. */
export function contribFiles(read: (path: string) => string): ReadonlyMap<string, string> {
  return new Map([...completions(read), ...pages()])
}

function completions(read: (path: string) => string): [string, string][] {
  const tree = commandTree(COMMANDS, GLOBAL_FLAGS)
  const tables = {
    'oci-unpack.bash': bashTable(tree),
    '_oci-unpack': zshTable(tree),
    'oci-unpack.fish': fishTable(tree, [...GLOBAL_FLAGS, HELP_FLAG])
  }
  return Object.entries(tables).map(([name, table]) => [
    `contrib/completion/${name}`,
    withTransports(read(`scripts/completion/${name}`)).replace('@TABLE@', () => table)
  ])
}

function pages(): [string, string][] {
  return [
    ['contrib/man/oci-unpack.1', programPage(PROGRAM_SUMMARY, COMMANDS, GLOBAL_FLAGS)],
    ...COMMANDS.map((command): [string, string] => [
      `contrib/man/${pageName(command)}.1`,
      commandPage(command, neighbours(command))
    ])
  ]
}

function neighbours(command: Command): Command[] {
  return COMMANDS.filter(
    (it) => it !== command && it.path.length > 1 && it.path[0] === command.path[0]
  )
}
