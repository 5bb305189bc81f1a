import { compareBytes, fromText } from '../bytes.ts'

/**
 * JSON as Go's encoder prints it: `<`, `>`, `&`, U+2028 and U+2029 escaped, and a newline at the end.
 * Keys keep the order in which they were inserted.
 */
export function printJson(value: unknown, indent: '' | '\t'): string {
  const text = JSON.stringify(value, undefined, indent)
  return `${text.replace(/[<>&\u2028\u2029]/g, escapeCharacter)}\n`
}

/** A Go map has no order: its keys are printed sorted by their UTF-8 bytes. */
export function sortKeys<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  const sorted = Object.entries(record).sort(([a], [b]) => compareBytes(fromText(a), fromText(b)))
  return Object.fromEntries(sorted)
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
