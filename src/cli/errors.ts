/** Errors for people: what happened, where, and what to do about it. */
import { OciUnpackError } from '../errors.ts'
import { fromNode } from '../sys/failure.ts'
import { formatFacts } from './facts.ts'
import { flagOf } from './option-names.ts'
import { plain, type Paint } from './paint.ts'

export function formatError(thrown: unknown, withStack: boolean, paint: Paint = plain): string {
  const error = fromNode(thrown)
  const known = error instanceof OciUnpackError
  const lines = known ? describeFailure(error, paint) : describeDefect(error, paint)
  if (withStack && error instanceof Error) lines.push(stackOf(error))
  return `${lines.join('\n')}\n`
}

function describeFailure(error: OciUnpackError, paint: Paint): string[] {
  const facts = formatFacts(error.facts).map((fact) => `  ${fact}`)
  const hint = error.hintWith(flagOf)
  const code = paint('aside', `[${error.code}]`)
  return [
    `${program(paint)} ${error.message} ${code}`,
    ...facts,
    ...(hint === undefined ? [] : [`  ${hint}`])
  ]
}

function program(paint: Paint): string {
  return paint('failure', 'oci-unpack:')
}

/** The same as one line of JSON, for `--progress json`. Values are those of the library's error. */
export function errorLine(thrown: unknown): string {
  const error = fromNode(thrown)
  const known = error instanceof OciUnpackError ? error : undefined
  const { code, facts, errno } = known ?? { code: 'INTERNAL', facts: {}, errno: undefined }
  const message = error instanceof Error ? error.message : String(error)
  const hint = known?.hintWith(flagOf)
  const stack = known === undefined && error instanceof Error ? error.stack : undefined
  return `${JSON.stringify({ type: 'error', code, message, facts, hint, errno, stack })}\n`
}

/** A bug is not the user's fault, and a report needs the stack. */
function describeDefect(error: unknown, paint: Paint): string[] {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [`${program(paint)} internal error: ${text}`, '  This is a bug: please report it.']
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
