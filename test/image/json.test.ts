import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, stringifyJson, type Json } from '../../src/image/json.ts'
import { CONFIG_SHAPE, MANIFEST_SHAPE, type Shape } from '../../src/image/shape.ts'

const ANY: Shape = { kind: 'any' }
const parse = (text: string): Json => parseJson(Buffer.from(text))
const rewrite = (text: string, shape: Shape = ANY): string =>
  stringifyJson(parse(text), shape).toString()

describe('parseJson', () => {
  it('agrees with JSON.parse on every value, big integers apart', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value)
        expect(JSON.parse(rewrite(text))).toEqual(JSON.parse(text))
      })
    )
  })

  it('accepts exactly what JSON.parse accepts, also among broken texts', () => {
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
      'e3',
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

  it('keeps every int64, wherever it stands', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (number) => {
        const text = `{"a":[${number.toString()},"${number.toString()}"],"b":{"c":${number.toString()}}}\n`
        expect(rewrite(text)).toBe(text)
      })
    )
  })

  it('lets the last of equal keys win, as Go does', () => {
    expect(parse('{"a":1,"a":2}')).toEqual({ a: 2 })
  })

  it('keeps a key __proto__ as an ordinary key', () => {
    const text = '{"__proto__":{"polluted":9007199254740993}}\n'
    expect(rewrite(text)).toBe(text)
    expect('polluted' in {}).toBe(false)
  })

  it.each([
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

  it('refuses an open string in linear time', () => {
    expect(() => parse(`"${'a'.repeat(1e6)}`)).toThrow(SyntaxError)
  })
})

describe('stringifyJson', () => {
  it('writes as Go does: compact, safe for HTML, a newline at the end', () => {
    expect(rewrite('{ "a" : "<b>&\u2028\u2029\\u0007\\t" }')).toBe(
      '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029\\u0007\\t"}\n'
    )
  })

  it('loses nothing of any document', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value)
        expect(parseJson(stringifyJson(parse(text), CONFIG_SHAPE))).toEqual(parse(text))
      })
    )
  })

  it('orders known fields as Go structs do, unknown ones after them as they stood', () => {
    const text =
      '{"z":1,"os":"linux","y":2,"architecture":"amd64","config":{"Shell":["a"],"User":"u"}}'
    expect(rewrite(text, CONFIG_SHAPE)).toBe(
      '{"architecture":"amd64","os":"linux","config":{"User":"u","Shell":["a"]},"z":1,"y":2}\n'
    )
  })

  it('sorts annotations by their bytes, not by UTF-16 units, also where they look like numbers', () => {
    const keys = ['b', '10', '2', 'a', '\u{1f600}', '\uff01']
    const text = JSON.stringify({ annotations: Object.fromEntries(keys.map((key) => [key, ''])) })
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(rewrite(text, MANIFEST_SHAPE)).toBe(
      `{"annotations":{${sorted.map((key) => `"${key}":""`).join(',')}}}\n`
    )
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
