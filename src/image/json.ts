/** Reads JSON without losing large integers. */
import { randomUUID } from 'node:crypto'

/**
 * A JSON value in which whole numbers beyond 2^53-1 are bigints, so that an int64 that only other programs understand
 * survives a rewrite. Other numbers are doubles, as in RFC 8259 section 6.
 */
export type Json =
  null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json }

/** Real documents are never deeper. The limit makes recursion over values safe. */
const MAX_DEPTH = 200

/** For valid JSON only: on an open string the nested repetition would take exponential time. */
const TOKEN = /"(?:[^"\\]+|\\.)*"|-?\d[-+.\deE]*|[[\]{}]/g

/**
 * UTF-8 bytes as JSON. Of equal keys the last wins, as in Go.
 * @throws SyntaxError: not UTF-8, not JSON, a number that no double can represent, or nested too deeply. Its message is
 * a clause that says what the document is or does.
 */
export function parseJson(bytes: Uint8Array): Json {
  const text = decodeUtf8(bytes)
  const value = parseText(text)
  return hasUnsafeIntegers(text) ? parseWithBigints(text) : value
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new SyntaxError('is not UTF-8', { cause })
  }
}

function parseText(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw new SyntaxError(`is not JSON: ${(cause as SyntaxError).message}`, { cause })
  }
}

/** Also limits the depth. */
function hasUnsafeIntegers(validText: string): boolean {
  let unsafe = false
  let depth = 0
  for (const [token] of validText.matchAll(TOKEN)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    else if (!token.startsWith('"')) unsafe = isUnsafeInteger(token) || unsafe
    if (depth > MAX_DEPTH) throw new SyntaxError(`is nested more than ${MAX_DEPTH} levels deep`)
  }
  return unsafe
}

function isUnsafeInteger(token: string): boolean {
  const number = Number(token)
  if (Math.abs(number) === Infinity) throw new SyntaxError('holds a number that is out of range')
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(number)
}

/** JSON.parse shows its reviver no source text before Node 21, so big integers are passed as marked strings. */
function parseWithBigints(validText: string): Json {
  const mark = randomUUID()
  const marked = validText.replace(TOKEN, (token) =>
    /^[-\d]/.test(token) && isUnsafeInteger(token) ? `"${mark}${token}"` : token
  )
  return JSON.parse(marked, (_key, value: Json) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value
  ) as Json
}
