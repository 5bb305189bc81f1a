import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringifyJson } from '../../src/image/go-json.ts'
import { parseJson, type Json } from '../../src/image/json.ts'

const parse = (text: string): Json => parseJson(Buffer.from(text))
const rewrite = (text: string): string => stringifyJson(parse(text), { kind: 'any' }).toString()

describe('parseJson', () => {
  test('agrees with JSON.parse on every value, big integers apart', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value)
        expect(JSON.parse(rewrite(text))).toEqual(JSON.parse(text))
      })
    )
  })

  test('accepts exactly what JSON.parse accepts, also among broken texts', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '9007199254740993',
      '-',
      '1',
      '.5',
      'e-3',
      ' ',
      'true',
      'null'
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
        const text = pieces.join('')
        expect(
          accepts(() => parse(text)),
          text
        ).toBe(accepts(() => JSON.parse(text)))
      }),
      { numRuns: 2000 }
    )
  })

  test('keeps every int64, wherever it stands', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (number) => {
        const text = `{"a":[${number.toString()},"${number.toString()}"],"b":{"c":${number.toString()}}}\n`
        expect(rewrite(text)).toBe(text)
      })
    )
  })

  test('lets the last of equal keys win, as Go does', () => {
    expect(parse('{"a":1,"a":2}')).toEqual({ a: 2 })
  })

  test('keeps a key __proto__ as an ordinary key', () => {
    const text = '{"__proto__":{"polluted":9007199254740993}}\n'
    expect(rewrite(text)).toBe(text)
    expect('polluted' in {}).toBe(false)
  })

  test.each([
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /UTF-8/],
    ['a byte order mark', Buffer.from('\ufeff{}'), /not JSON/],
    ['a second value', Buffer.from('{} {}'), /not JSON/],
    ['an empty file', Buffer.alloc(0), /not JSON/],
    ['a number beyond doubles', Buffer.from('[1e999]'), /out of range/],
    ['an integer of a million digits', Buffer.from('9'.repeat(1e6)), /out of range/],
    ['deep nesting', Buffer.from('['.repeat(1e5) + ']'.repeat(1e5)), /nested/]
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => parseJson(bytes)).toThrow(message)
  })

  test('refuses an open string in linear time', () => {
    expect(() => parse(`"${'a'.repeat(1e6)}`)).toThrow(SyntaxError)
  })
})

function accepts(call: () => unknown): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
