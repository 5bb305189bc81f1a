/**
 * Arguments as Go programs take them, turned into what commander takes: `-image x` is `--image x`, and a switch
 * may be given as `--switch=true` or `=false`.
 */
import type { Flag } from './command.ts'

export function normalizeArguments(args: readonly string[], flags: readonly Flag[]): string[] {
  const known = knownNames(flags)
  const result: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === '--') return [...result, ...args.slice(index)]
    const { name, value } =
      /^--?(?<name>[A-Za-z][\w.-]*)(?:=(?<value>.*))?$/s.exec(arg)?.groups ?? {}
    const flag = known.get(name ?? '')
    if (flag === undefined) result.push(arg)
    else if (flag.value === undefined) result.push(...normalizeSwitch(flag, arg, value))
    else if (value !== undefined) result.push(`--${flag.name}=${value}`)
    else if (index + 1 < args.length) result.push(`--${flag.name}=${args[++index]!}`)
    else result.push(`--${flag.name}`)
  }
  return result
}

/** A name counts before another flag's alias. */
function knownNames(flags: readonly Flag[]): ReadonlyMap<string, Flag> {
  const aliases = flags.flatMap((flag) => (flag.aliases ?? []).map((name) => [name, flag] as const))
  return new Map([...aliases, ...flags.map((flag) => [flag.name, flag] as const)])
}

function normalizeSwitch(flag: Flag, arg: string, value: string | undefined): string[] {
  if (value === undefined || /^(?:true|t|1)$/i.test(value)) return [`--${flag.name}`]
  return /^(?:false|f|0)$/i.test(value) ? [] : [arg]
}
