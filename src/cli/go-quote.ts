/** Text in Go's quotes (strconv.Quote) if quoting changes it, as umoci shows text from an image. */
export function quoteIfNeeded(text: string): string {
  const decoded = asGoDecodes(text)
  const quoted = goQuote(text)
  return quoted === `"${decoded}"` ? decoded : quoted
}

/** The same for a value that must be read exactly: it is also quoted if it is empty or contains white space. */
export function quotePrecisely(text: string): string {
  return text === '' || /\p{White_Space}/u.test(text) ? goQuote(text) : quoteIfNeeded(text)
}

export function goQuote(text: string): string {
  return `"${asGoDecodes(text).replace(/[\\"]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escape)}"`
}

/** Half of a surrogate pair is a character in JavaScript, but not in Go. */
function asGoDecodes(text: string): string {
  return Buffer.from(text).toString()
}

const NAMED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"'
}

function escape(character: string): string {
  const code = character.codePointAt(0)!
  if (character in NAMED) return NAMED[character]!
  if (code < 0x80) return `\\x${hex(code, 2)}`
  return code < 0x1_0000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
