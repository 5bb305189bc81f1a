import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitsOctal, parseDecimal, readNumber, writeOctal } from '../../src/tar/number.ts'

function read(field: string): number {
  return readNumber(Buffer.from(field, 'latin1'), 0, field.length)
}

describe('octal fields', () => {
  test.each([
    ['0000644\0', 0o644],
    ['000644 \0', 0o644],
    ['   644 \0', 0o644],
    ['644\0junk', 0o644],
    ['77777777', 0o77777777],
    ['\0\0\0\0\0\0\0\0', 0],
    ['        ', 0],
    ['\0  0644\0', 0o644]
  ])('reads %j', (field, value) => {
    expect(read(field)).toBe(value)
  })

  test.each(['0000689\0', '12 34\0\0\0', '-000001\0', 'abcdefg\0', '0x1f\0\0\0\0'])(
    'finds %j malformed',
    (field) => {
      expect(read(field)).toBeNaN()
    }
  )

  test('what is written is read again, for all that fits', () => {
    fc.assert(
      fc.property(fc.nat({ max: 8 ** 11 - 1 }), fc.constantFrom(8, 12), (value, width) => {
        const field = Buffer.alloc(width, 0xff)
        writeOctal(field, 0, width, value)
        return readNumber(field, 0, width) === (fitsOctal(value, width) ? value : 0)
      })
    )
  })
})

describe('base-256 fields', () => {
  test.each([
    ['\x80\0\0\0\0\0\0\x01', 1],
    ['\x80\0\0\0\xff\xff\xff\xfe', 0xffff_fffe],
    ['\xff\xff\xff\xff\xff\xff\xff\xff', -1],
    ['\xff\xff\xff\xff\xff\xff\xff\x00', -256],
    ['\x80\0\0\0\0\x02\0\0\0\0\0\0', 2 ** 49]
  ])('reads %j', (field, value) => {
    expect(read(field)).toBe(value)
  })

  test('a number beyond 2^53 is never a safe integer', () => {
    expect(Number.isSafeInteger(read('\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'))).toBe(
      false
    )
    expect(Number.isSafeInteger(read('\x80\0\0\0\0\x20\0\0\0\0\0\0'))).toBe(false)
  })
})

test.each([
  ['0', 0],
  ['-5', -5],
  ['9007199254740991', 2 ** 53 - 1]
])('reads the decimal %j', (text, value) => {
  expect(parseDecimal(text)).toBe(value)
})

test.each(['', ' 1', '1 ', '+1', '1e3', '0x10', '1.0', '--1'])(
  'finds the decimal %j malformed',
  (text) => {
    expect(parseDecimal(text)).toBeNaN()
  }
)
