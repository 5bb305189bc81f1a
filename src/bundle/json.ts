/** JSON as the files of a bundle contain it. */
import { compareKeys, escapeAsGo } from '../image/go-json.ts'

/** JSON as Go's encoder prints it, with a newline at the end. Keys keep the order in which they were inserted. */
export function printJson(value: unknown, indent: '' | '\t'): string {
  return `${escapeAsGo(JSON.stringify(value, undefined, indent))}\n`
}

/** As Go prints a map. */
export function sortKeys<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => compareKeys(a, b)))
}
