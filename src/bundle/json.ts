/** JSON in the form of a bundle's files. */
import { compareKeys, escapeAsGo } from '../image/go-json.ts'

/** JSON in the form of Go's encoder, with a newline at the end. Keys keep the order in which they were inserted. */
export function printJson(value: unknown, indent: '' | '\t'): string {
  return `${escapeAsGo(JSON.stringify(value, undefined, indent))}\n`
}

/** In the order in which Go prints a map. */
export function sortKeys<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => compareKeys(a, b)))
}
