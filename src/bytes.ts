/**
 * Names, link targets and xattr values are bytes, not text, because real layers contain names that are not UTF-8.
 * Inside this program they are "byte strings": JavaScript strings in which every character is one byte (latin1). They
 * compare bytewise with `<`, work as map keys, and become text only for people.
 */
export type ByteString = string

/** Bytes that have their buffer to themselves. TypeScript before 5.7 knows no other name for this that is as exact. */
export type OwnedBytes = ReturnType<Uint8Array['slice']>

export function toBuffer(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1')
}

export function fromBuffer(buffer: Uint8Array): ByteString {
  return Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength).toString('latin1')
}

/** The same bytes in memory of their own: what is cut from a longer text keeps all of that in memory. */
export function ownCopy(bytes: ByteString): ByteString {
  return bytes.length < SHORTEST_SLICE ? bytes : toBuffer(bytes).toString('latin1')
}

/** V8 copies what is shorter. */
const SHORTEST_SLICE = 13

/** Text (from flags, JSON, TOML) as the bytes that the kernel will see: UTF-8. */
export function fromText(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1')
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Bytes as text if they are valid UTF-8; otherwise undefined. */
export function toText(bytes: ByteString): string | undefined {
  try {
    return utf8.decode(toBuffer(bytes))
  } catch {
    return undefined
  }
}

/** Bytes for messages: UTF-8 if valid, `\xNN` for control characters and for anything else. */
export function display(bytes: ByteString): string {
  const text = toText(bytes)
  if (text === undefined) return bytes.replace(/[^ -~]/g, escapeCharacter)
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    escapeCharacter
  )
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}

/** The order of byte strings: by byte value, as image tools and mtree sort. */
export function compareBytes(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0
}
