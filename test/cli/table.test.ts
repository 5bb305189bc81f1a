import { expect, test } from 'vitest'
import { humanSize } from '../../src/cli/bytes.ts'
import { goQuote, quoteIfNeeded, quotePrecisely } from '../../src/cli/go-quote.ts'
import { hexDump } from '../../src/cli/hex-dump.ts'
import { formatTable } from '../../src/cli/table.ts'

test('a table has columns of at least four characters and ragged ends', () => {
  const rows = [
    ['A', 'B', 'C'],
    ['', 'émile', 'x'],
    ['abcd', '', 'longest']
  ]
  expect(formatTable(rows)).toBe('A    B     C\n     émile x\nabcd       longest\n')
  expect(formatTable([['a', 'b', 'c']])).toBe('a   b   c\n')
})

test.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1kB'],
  [10_240, '10.24kB'],
  [63_301_808, '63.3MB'],
  [999_999, '1000kB'],
  [1.5e15, '1.5PB']
])('%i bytes are %s', (bytes, text) => {
  expect(humanSize(bytes)).toBe(text)
})

test.each([
  ['plain', 'plain', 'plain'],
  ['two words', 'two words', '"two words"'],
  ['', '', '""'],
  ['say "x"', '"say \\"x\\""', '"say \\"x\\""'],
  ['a\tb\n', '"a\\tb\\n"', '"a\\tb\\n"'],
  ['\x1b[0m', '"\\x1b[0m"', '"\\x1b[0m"'],
  ['\u200b\u{e0001}', '"\\u200b\\U000e0001"', '"\\u200b\\U000e0001"'],
  ['back\\slash', '"back\\\\slash"', '"back\\\\slash"'],
  ['grüße😀', 'grüße😀', 'grüße😀']
])('%j is quoted as Go does', (text, ifNeeded, precisely) => {
  expect(quoteIfNeeded(text)).toBe(ifNeeded)
  expect(quotePrecisely(text)).toBe(precisely)
})

test('quotes can be had always', () => {
  expect(goQuote('a,b')).toBe('"a,b"')
})

test('a dump shows the first 256 bytes as xxd does', () => {
  expect(hexDump(Buffer.from('0123456789abcdef\n\xff', 'latin1'))).toEqual([
    '0000: 3031 3233 3435 3637 3839 6162 6364 6566  0123456789abcdef',
    '0010: 0aff                                     ..'
  ])
  const long = hexDump(Buffer.alloc(300))
  expect(long).toHaveLength(17)
  expect(long.at(-1)).toBe('....  (extra 44 bytes omitted)')
})
