import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBuffer } from '../../src/bytes.ts'
import {
  decodeRecords,
  encodeRecord,
  formatTime,
  parseTime,
  type PaxRecord
} from '../../src/tar/pax.ts'
import { byteString } from '../support/arbitrary-entry.ts'

function decode(text: string): PaxRecord[] | undefined {
  const bytes = toBuffer(text)
  return decodeRecords(bytes, 0, bytes.length)
}

describe('records', () => {
  test('keep any bytes in their values', () => {
    const key = byteString({ minLength: 1, maxLength: 40 }).filter((text) => !text.includes('='))
    const record = fc.tuple(key, byteString({ maxLength: 1200 }))
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), (records) => {
        expect(decode(records.map(encodeRecord).join(''))).toEqual(records)
      })
    )
  })

  test('count their own length where it grows by a digit', () => {
    for (let size = 0; size < 1200; size++) {
      const record = encodeRecord(['k', 'v'.repeat(size)])
      expect(Number.parseInt(record, 10)).toBe(record.length)
    }
  })

  test.each([
    ['a length that is no number', 'x k=v\n'],
    ['no length', ' k=v\n'],
    ['a length beyond the header', '99 k=v\n'],
    ['a length that ends early', '5 k=v\n'],
    ['a length of nothing but itself', '2 \n'],
    ['a length of zero', '0 k=v\n'],
    ['no line feed', '6 k=v '],
    ['no equals sign', '6 kkv\n'],
    ['an equals sign only in the next record', '6 kkv\n6 k=v\n'],
    ['no key', '5 =v\n'],
    ['a negative length', '-6 k=v\n'],
    ['NULs after the last record', '6 k=v\n\0\0'],
    ['half a length', '6 k=v\n1']
  ])('with %s are malformed', (_, text) => {
    expect(decode(text)).toBeUndefined()
  })
})

describe('times', () => {
  test.each([
    ['0', 0, 0],
    ['1', 1, 0],
    ['1.5', 1, 500_000_000],
    ['1.', 1, 0],
    ['1.000000001', 1, 1],
    ['-1', -1, 0],
    ['-0', 0, 0],
    ['-0.5', -1, 500_000_000],
    ['-1.5', -2, 500_000_000],
    ['-1.000000001', -2, 999_999_999],
    ['1.9999999999', 1, 999_999_999],
    ['-1.0000000001', -2, 999_999_999],
    ['-1.9999999999', -2, 0],
    ['-1.0000000000', -1, 0],
    ['253402300800', 253402300800, 0]
  ])('reads %s', (text, sec, nsec) => {
    expect(parseTime(text)).toEqual({ sec, nsec })
  })

  test.each(['', '-', '.5', '1.2.3', '1e9', '+1', ' 1', '1,5', '0x1', '99999999999999999999'])(
    'finds %j malformed',
    (text) => {
      expect(parseTime(text)).toBeUndefined()
    }
  )

  test('come back from their text', () => {
    const sec = fc.integer({ min: -(2 ** 40), max: 2 ** 40 })
    const nsec = fc.oneof(fc.constant(0), fc.nat({ max: 999_999_999 }))
    fc.assert(
      fc.property(sec, nsec, (sec, nsec) => {
        expect(parseTime(formatTime({ sec, nsec }))).toEqual({ sec, nsec })
      })
    )
  })
})
