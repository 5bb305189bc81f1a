/** Stored JSON on one line, otherwise as it is: keys in their order, also repeated ones, and numbers as they are spelt. */
import { escapeAsGo } from './go-json.ts'

/**
 * JSON without the white space between its tokens, in Go's form (encoding/json, Compact and HTMLEscape). Undefined if the
 * bytes are not JSON.
 */
export function compactJson(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    JSON.parse(text)
    return escapeAsGo(text.replace(STRING_OR_SPACE, '$1'))
  } catch {
    return undefined
  }
}

/** For valid JSON only, as in json.ts. */
const STRING_OR_SPACE = /("(?:[^"\\]+|\\.)*")|[ \t\r\n]+/g
