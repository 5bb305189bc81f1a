/** Errors for people: what happened, where, and what to do about it. */
import { FACT_ORDER, OciUnpackError, type Facts } from '../errors.ts'

export function formatError(error: unknown, withStack: boolean): string {
  const lines = error instanceof OciUnpackError ? describe(error) : describeDefect(error)
  if (withStack && error instanceof Error) lines.push(stackOf(error))
  return `${lines.join('\n')}\n`
}

function describe(error: OciUnpackError): string[] {
  const facts = formatFacts(error.facts).map((fact) => `  ${fact}`)
  const hint = error.hint === undefined ? [] : [`  ${error.hint}`]
  return [`oci-unpack: ${error.message} [${error.code}]`, ...facts, ...hint]
}

/** Not the user's doing: the stack is what a report needs. */
function describeDefect(error: unknown): string[] {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [`oci-unpack: internal error: ${text}`, '  This is a bug: please report it.']
}

export function formatFacts(facts: Facts): string[] {
  return FACT_ORDER.flatMap((name) =>
    facts[name] === undefined ? [] : [`${name}: ${indent(facts[name])}`]
  )
}

/** Further lines of a fact stand below its name. */
function indent(fact: string | number): string {
  return String(fact).replaceAll('\n', '\n    ')
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
