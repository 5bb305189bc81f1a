import { describe, expect, test } from 'vitest'
import { printJson } from '../../src/bundle/json.ts'

describe('printJson', () => {
  test("escapes what Go's encoder escapes and ends in a newline", () => {
    expect(printJson({ a: '<b>&\u2028\u2029\n"é\x7f' }, '')).toBe(
      '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029\\n\\"é\x7f"}\n'
    )
  })

  test('indents by tabs', () => {
    expect(printJson({ a: [1] }, '\t')).toBe('{\n\t"a": [\n\t\t1\n\t]\n}\n')
  })
})
