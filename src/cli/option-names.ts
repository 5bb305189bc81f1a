/** The names on the command line of the options that the library's hints mention. */
import type { Flag } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { GLOBAL_FLAGS } from './terminal.ts'

/** `--max-ratio` for `limits.ratio`; an option without a flag keeps its name. */
export function flagOf(option: string): string {
  const flags = [...COMMANDS.flatMap(({ flags }) => flags), ...GLOBAL_FLAGS]
  const flag = flags.find((each) => optionOf(each) === option)
  return flag === undefined ? option : `--${flag.name}`
}

export function optionOf({ name, option }: Flag): string {
  return option ?? name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}
