/** The only file that knows the TOML parser. */
import { parse } from '@iarna/toml'

/** Keys from the top of a document: tables, then a key. */
export type KeyPath = readonly string[]

/** Why a text is not TOML, with its line, counted from 1. */
export class TomlError extends Error {
  override readonly name = 'TomlError'
  readonly line: number

  constructor(message: string, line: number, cause: unknown) {
    super(message, { cause })
    this.line = line
  }
}

/** @throws TomlError */
export function parseToml(text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text)
  } catch (cause) {
    const { message, line } = cause as Error & { line?: number }
    const sentence = message.split(/ at row |\n/)[0]!
    throw new TomlError(sentence, (line ?? 0) + 1, cause)
  }
}

/**
 * The line, counted from 1, on which a key or table begins. The parser keeps no positions, so this finds the longest
 * beginning of the text that is a valid document without the key. Undefined if the text does not contain it.
 */
export function lineOf(text: string, path: KeyPath): number | undefined {
  const lines = text.split(/\r?\n/)
  let begin = 1
  for (let count = 1; count <= lines.length; count++) {
    if (isBlank(lines[count - 1]!)) {
      if (begin === count) begin++
      continue
    }
    const document = tryParse(lines.slice(0, count).join('\n'))
    if (document === undefined) continue
    if (hasKey(document, path)) return begin
    begin = count + 1
  }
  return undefined
}

function isBlank(line: string): boolean {
  return /^\s*(?:#|$)/.test(line)
}

function tryParse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parseToml(text)
  } catch {
    return undefined
  }
}

function hasKey(document: Readonly<Record<string, unknown>>, path: KeyPath): boolean {
  let value: unknown = document
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return true
}
