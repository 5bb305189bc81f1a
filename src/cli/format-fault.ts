/** Shows what is wrong with one of several things that were checked. */
import { display, fromText } from '../bytes.ts'
import type { ErrorCode, Facts } from '../errors.ts'
import { formatFacts } from './facts.ts'

/** A line below that of the thing itself, indented; nothing if nothing is wrong. */
export function formatFault(
  error: { code: ErrorCode; message: string; facts: Facts } | undefined,
  hint?: string
): string {
  if (error === undefined) return ''
  const facts = display(fromText(formatFacts(error.facts).join('; ')))
  const advice = hint === undefined ? '' : `. ${hint}`
  return `         ${error.message} [${error.code}] ${facts}${advice}\n`
}
