/** Numbers in headers. */
const SPACE = 0x20
const ZERO = 0x30

/**
 * A numeric header field: octal text, or GNU base-256 if the high bit of the first byte is set. NaN if it is malformed.
 * Beyond 2^53 the value is rounded, so check it with `Number.isSafeInteger`.
 */
export function readNumber(bytes: Buffer, start: number, end: number): number {
  return bytes[start]! < 0x80 ? readOctal(bytes, start, end) : readBase256(bytes, start, end)
}

/** Spaces before and after are allowed, a field of spaces is 0, and a NUL ends the text (as in Go). */
function readOctal(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && isBlank(bytes[at]!)) at++
  let value = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 7) return endsText(bytes, at, end) ? value : NaN
    value = value * 8 + digit
  }
  return value
}

function endsText(bytes: Buffer, at: number, end: number): boolean {
  while (at < end && bytes[at] === SPACE) at++
  return at === end || bytes[at] === 0
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 0
}

/** Two's complement, big-endian. The top bit marks base-256, the next one is the sign. */
function readBase256(bytes: Buffer, start: number, end: number): number {
  const negative = (bytes[start]! & 0x40) !== 0
  const flip = negative ? 0xff : 0
  let value = (bytes[start]! ^ flip) & 0x3f
  for (let at = start + 1; at < end; at++) value = value * 256 + (bytes[at]! ^ flip)
  return negative ? -value - 1 : value
}

/** Whether a number fits a field of `width` bytes as octal digits and a closing NUL. */
export function fitsOctal(value: number, width: number): boolean {
  return value >= 0 && value < 8 ** (width - 1)
}

/** A zero-padded octal number and a NUL. Zeros if the number does not fit, as in Go's writer. */
export function writeOctal(bytes: Buffer, start: number, end: number, value: number): void {
  const digits = end - start - 1
  const fitting = fitsOctal(value, end - start) ? value : 0
  bytes.write(fitting.toString(8).padStart(digits, '0'), start, 'latin1')
  bytes[end - 1] = 0
}

/** A decimal integer as in PAX and the sparse formats; NaN for anything else. */
export function parseDecimal(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : NaN
}
