/** Names as vis(3) encodes them. */
import type { ByteString } from '../bytes.ts'

const OCTAL = Array.from({ length: 256 }, (_, code) => `\\${code.toString(8).padStart(3, '0')}`)

/** White space, control and non-ASCII bytes, the backslash, and characters with a meaning to a shell or mtree. */
const SPECIAL = /[^!-~]|[\\*?[#]/

/**
 * A name as vis(3) encodes it with VIS_OCTAL, VIS_WHITE and VIS_GLOB, the flags of go-mtree: `\\` for the backslash,
 * three octal digits for every other special byte.
 */
export function visEncode(bytes: ByteString): string {
  return SPECIAL.test(bytes) ? bytes.replace(/[^!-~]|[\\*?[#]/g, encodeByte) : bytes
}

function encodeByte(byte: string): string {
  return byte === '\\' ? '\\\\' : OCTAL[byte.charCodeAt(0)]!
}

/** All forms of vis(3): octal, hex, C style, `\s`, `\^C`, `\M-C`, `\M^C`, and an escaped sign. */
const ESCAPE =
  /\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(M-[^]|M\^[^]|\^[^])|([abefnrstv])|([^0-9A-Za-z^]))/gy

const C_STYLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  s: ' ',
  t: '\t',
  v: '\v'
}

/** The decoded text, for any style of vis(3); undefined if it contains an invalid escape. */
export function visDecode(text: string): ByteString | undefined {
  let from = 0
  let out = ''
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', from)) {
    ESCAPE.lastIndex = at
    const match = ESCAPE.exec(text)
    if (match === null) return undefined
    out += text.slice(from, at) + decodeEscape(match)
    from = ESCAPE.lastIndex
  }
  return from === 0 ? text : out + text.slice(from)
}

function decodeEscape([, octal, hex, meta, letter, sign]: RegExpExecArray): string {
  if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff)
  if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16))
  if (meta !== undefined) return String.fromCharCode(decodeMeta(meta))
  return letter === undefined ? sign! : C_STYLE[letter]!
}

function decodeMeta(meta: string): number {
  const code = meta.charCodeAt(meta.length - 1)
  if (meta.startsWith('M-')) return code | 0x80
  const control = code === 0x3f ? 0x7f : code & 0x1f
  return meta.startsWith('M') ? control | 0x80 : control
}
