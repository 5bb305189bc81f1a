/** The declarations as a tree that a user walks through word by word. */
import type { Command, Flag, Positional } from './command.ts'
import { GROUPS } from './commands/groups.ts'
import { HELP_FLAG, VERSION_FLAG } from './flags.ts'

/** The program, a group or a command. */
export interface CommandNode {
  /** Empty for the program. */
  path: readonly string[]
  /** Other words for the last one of the path. */
  aliases: readonly string[]
  summary: string
  /** All flags that may be given here, including those of all commands. */
  flags: readonly Flag[]
  positionals: readonly Positional[]
  children: readonly CommandNode[]
}

export function commandTree(commands: readonly Command[], globals: readonly Flag[]): CommandNode {
  const shared = [...globals, HELP_FLAG]
  const firsts = [...new Set(commands.map(({ path }) => path[0]!))]
  const children = firsts.map((name): CommandNode => {
    const below = commands.filter(({ path }) => path[0] === name)
    const own = below.map((command) => commandNode(command, shared))
    return below[0]!.path.length === 1 ? own[0]! : groupNode(name, own, shared)
  })
  const flags = [...shared, VERSION_FLAG]
  return { ...EMPTY, flags, children: [...children, helpNode(firsts, shared)] }
}

/** A node and all nodes below it, parents first. */
export function allNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(allNodes)]
}

const EMPTY: CommandNode = {
  path: [],
  aliases: [],
  summary: '',
  flags: [],
  positionals: [],
  children: []
}

function groupNode(
  name: string,
  children: readonly CommandNode[],
  flags: readonly Flag[]
): CommandNode {
  return { ...EMPTY, path: [name], summary: GROUPS[name]!, flags, children }
}

function commandNode(command: Command, shared: readonly Flag[]): CommandNode {
  const { path, aliases = [], summary, flags, positionals } = command
  return { path, aliases, summary, positionals, flags: [...flags, ...shared], children: [] }
}

/** The parser adds this command. */
function helpNode(names: readonly string[], flags: readonly Flag[]): CommandNode {
  const summary = 'show the help of a command'
  const command = { name: 'COMMAND', summary: 'a command', optional: true, suggestions: names }
  return { ...EMPTY, path: ['help'], summary, flags, positionals: [command] }
}
