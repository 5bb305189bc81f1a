/**
 * Rewrites arguments as Go programs accept them into those of commander: `-image x` becomes `--image x`, a switch may
 * be given as `--switch=true` or `=false`, a flag by any of its names, and `-ox` where it is known from mount(8).
 */
import { OciUnpackError } from '../errors.ts'
import type { Command, Flag } from './command.ts'

/**
 * What flags can mean, for `normalizeArguments`: where two commands have one of the same name, it is that of the command that
 * is called.
 */
export function flagsFor(args: readonly string[], commands: readonly Command[]): Flag[] {
  const words = args.filter((arg) => !arg.startsWith('-'))
  const called = words.flatMap((_, at) => commands.filter((it) => isAt(it, words, at)))[0]
  // the last one of a name counts
  return [...commands.flatMap(({ flags }) => flags), ...(called?.flags ?? [])]
}

/** Before the command, there may be values of flags that all commands have. */
function isAt({ path, aliases = [] }: Command, words: readonly string[], at: number): boolean {
  const [last, before] = [path.at(-1)!, path.slice(0, -1)]
  return (
    before.every((word, index) => words[at + index] === word) &&
    [last, ...aliases].includes(words[at + before.length]!)
  )
}

/** @throws USAGE for a flag that is given by two of its names, unless it is repeatable */
export function normalizeArguments(args: readonly string[], flags: readonly Flag[]): string[] {
  const spellings = new Spellings(flags)
  const result: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === '--') return [...result, ...args.slice(index)]
    const { name = '', value } = spellings.split(arg)
    const flag = spellings.flagOf(name)
    if (flag === undefined) result.push(arg)
    else if (flag.value === undefined) result.push(...normalizeSwitch(flag, arg, value))
    else if (flag.bare !== undefined) result.push(`--${flag.name}=${asWord(value ?? flag.bare)}`)
    else if (value !== undefined) result.push(`--${flag.name}=${value}`)
    else if (index + 1 < args.length) result.push(`--${flag.name}=${args[++index]!}`)
    else result.push(`--${flag.name}`)
  }
  return result
}

function normalizeSwitch(flag: Flag, arg: string, value: string | undefined): string[] {
  const word = asWord(value ?? 'true')
  if (word === 'true') return [`--${flag.name}`]
  return word === 'false' ? [] : [arg]
}

/** What Go reads as a boolean, as one word. */
function asWord(value: string): string {
  if (/^(?:true|t|1)$/i.test(value)) return 'true'
  return /^(?:false|f|0)$/i.test(value) ? 'false' : value
}

/** The flags, by each of their names. */
class Spellings {
  private readonly flags: ReadonlyMap<string, Flag>
  private readonly used = new Map<Flag, string>()

  constructor(flags: readonly Flag[]) {
    this.flags = knownNames(flags)
  }

  /** `-oVALUE` only for flags that say so: in the manner of Go, one dash begins any name. */
  split(arg: string): { name?: string; value?: string } {
    const whole = /^--?(?<name>[A-Za-z][\w.-]*|0)(?:=(?<value>.*))?$/s.exec(arg)?.groups ?? {}
    if (this.flags.has(whole.name ?? '')) return whole
    const short = /^-(?<name>[A-Za-z])(?<value>[^=].*)$/s.exec(arg)?.groups ?? {}
    return this.flags.get(short.name ?? '')?.attached === true ? short : whole
  }

  flagOf(spelling: string): Flag | undefined {
    const flag = this.flags.get(spelling)
    if (flag === undefined || flag.repeatable === true) return flag
    const before = this.used.get(flag) ?? spelling
    this.used.set(flag, spelling)
    if (before === spelling) return flag
    throw new OciUnpackError('USAGE', `--${before} and --${spelling} are the same flag.`)
  }
}

/** A flag's name takes precedence over another flag's alias. */
function knownNames(flags: readonly Flag[]): ReadonlyMap<string, Flag> {
  const aliases = flags.flatMap((flag) => (flag.aliases ?? []).map((name) => [name, flag] as const))
  return new Map([...aliases, ...flags.map((flag) => [flag.name, flag] as const)])
}
