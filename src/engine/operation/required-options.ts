/** JavaScript callers may omit options that a type requires, or give others than it says. */
import { OciUnpackError } from '../../errors.ts'

type Kind<Value> = Value extends string
  ? 'text'
  : Value extends readonly unknown[]
    ? 'list'
    : Value extends number
      ? 'number'
      : Value extends (...args: never) => unknown
        ? 'function'
        : 'object'

/** Every required option, and what it must be. */
type RequiredOptions<Options> = {
  [Name in keyof Options as object extends Pick<Options, Name> ? never : Name]: Kind<Options[Name]>
}

/** Options that may be left out, and what they must be. */
type OptionalOptions<Options> = {
  readonly [Name in keyof Options as object extends Pick<Options, Name> ? Name : never]?: Kind<
    NonNullable<Options[Name]>
  >
}

/** @throws USAGE for the first option that is missing or of another type */
export function requireOptions<Options extends object>(
  options: Options,
  required: RequiredOptions<Options>,
  optional: OptionalOptions<Options> = {}
): void {
  const given = options as Readonly<Record<string, unknown>> | undefined
  if (kindOf(given) !== 'object') throw wrong('The options', 'object', given)
  for (const [name, kind] of Object.entries<string>(required))
    if (kindOf(given?.[name]) !== kind) throw wrong(`The option ${name}`, kind, given?.[name])
  for (const [name, kind] of Object.entries(optional as Readonly<Record<string, string>>))
    if (given?.[name] !== undefined && kindOf(given[name]) !== kind)
      throw wrong(`The option ${name}`, kind, given[name])
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return 'text'
  return Array.isArray(value) ? 'list' : typeof value
}

function wrong(what: string, expected: string, value: unknown): OciUnpackError {
  const found = kindOf(value)
  const fault = found === 'nothing' ? 'must be given' : `must be of another type`
  return new OciUnpackError('USAGE', `${what} ${fault}.`, { facts: { expected, found } })
}
