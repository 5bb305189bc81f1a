/** Groups that stand for one of their commands where a flag follows: `erofs --image app images` is `erofs make …`. */
import type { Command } from './command.ts'

/** @param args normalized, so that a flag and its value are one word */
export function withDefaultCommand(
  args: readonly string[],
  commands: readonly Command[]
): readonly string[] {
  const at = args.findIndex((arg) => !arg.startsWith('-'))
  const rest = args.slice(at + 1)
  const group = commands.filter(({ path }) => path.length === 2 && path[0] === args[at])
  const standard = group.find(({ isDefault }) => isDefault === true)
  if (standard === undefined || rest[0]?.startsWith('-') !== true || isHelp(rest[0])) return args
  const word = rest.find((arg) => !arg.startsWith('-'))
  const isNamed = group.some(({ path }) => path[1] === word)
  return isNamed ? args : [...args.slice(0, at + 1), standard.path[1]!, ...rest]
}

function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h'
}
