/** The commands and flags of the umoci that is installed, out of its help. */
import { spawnSync } from 'node:child_process'

/** `unpack`, `unpack --image`, and `--log` for flags that every command has; without help and version. */
export function umociFlags(): string[] {
  const commands = commandNames(help()).flatMap((name) =>
    name === 'raw' ? commandNames(help('raw')).map((below) => `raw ${below}`) : [name]
  )
  return [
    ...commands.flatMap((command) => [
      command,
      ...flagNames(help(...command.split(' '))).map((flag) => `${command} ${flag}`)
    ]),
    ...flagNames(help())
  ]
}

function help(...command: string[]): string {
  return spawnSync('umoci', [...command, '--help'], { encoding: 'utf8' }).stdout
}

/** A row of commands is indented, its names before two spaces: `     remove, rm  removes a tag`. */
function commandNames(text: string): string[] {
  const rows = text.slice(text.indexOf('COMMANDS:')).split('OPTIONS:')[0]!
  const names = [...rows.matchAll(/^ +([a-z][a-z-]*)(?:, [a-z]+)* {2,}\S/gm)].map((row) => row[1]!)
  return names.filter((name) => name !== 'help')
}

function flagNames(text: string): string[] {
  const rows = text.slice(text.search(/^(?:GLOBAL )?OPTIONS:/m))
  const names = [...rows.matchAll(/^ +(--[\w.-]+)/gm)].map((row) => row[1]!)
  return names.filter((name) => name !== '--help' && name !== '--version')
}
