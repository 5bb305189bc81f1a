import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringifyJson } from '../../src/image/go-json.ts'
import { parseJson, type Json } from '../../src/image/json.ts'
import { CONFIG_SHAPE, MANIFEST_SHAPE, type Shape } from '../../src/image/shape.ts'

const ANY: Shape = { kind: 'any' }
const parse = (text: string): Json => parseJson(Buffer.from(text))
const rewrite = (text: string, shape: Shape = ANY): string =>
  stringifyJson(parse(text), shape).toString()

describe('stringifyJson', () => {
  test('writes as Go does: compact, safe for HTML, a newline at the end', () => {
    expect(rewrite('{ "a" : "<b>&\u2028\u2029\\u0007\\t" }')).toBe(
      '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029\\u0007\\t"}\n'
    )
  })

  test('loses nothing of any document', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value)
        expect(parseJson(stringifyJson(parse(text), CONFIG_SHAPE))).toEqual(parse(text))
      })
    )
  })

  test('orders known fields as Go structs do, unknown ones after them as they stood', () => {
    const text =
      '{"z":1,"os":"linux","y":2,"architecture":"amd64","config":{"Shell":["a"],"User":"u"}}'
    expect(rewrite(text, CONFIG_SHAPE)).toBe(
      '{"architecture":"amd64","os":"linux","config":{"User":"u","Shell":["a"]},"z":1,"y":2}\n'
    )
  })

  test('sorts annotations by their bytes, not by UTF-16 units, also where they look like numbers', () => {
    const keys = ['b', '10', '2', 'a', '\u{1f600}', '\uff01']
    const text = JSON.stringify({ annotations: Object.fromEntries(keys.map((key) => [key, ''])) })
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(rewrite(text, MANIFEST_SHAPE)).toBe(
      `{"annotations":{${sorted.map((key) => `"${key}":""`).join(',')}}}\n`
    )
  })
})
