import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { visDecode, visEncode } from '../../src/mtree/vis.ts'
import { anyBytes } from './arbitraries.ts'

describe('visEncode', () => {
  test.each([
    ['plain-name_1.txt', 'plain-name_1.txt'],
    ['sp ace', 'sp\\040ace'],
    ['nl\ntab\t', 'nl\\012tab\\011'],
    ['back\\slash', 'back\\\\slash'],
    ['*?[#', '\\052\\077\\133\\043'],
    ['~!"$%&(){}^=,;]', '~!"$%&(){}^=,;]'],
    ['\xff\xfe\xc3\xbc\x7f\x01', '\\377\\376\\303\\274\\177\\001']
  ])('writes %j as %j', (bytes, text) => {
    expect(visEncode(bytes)).toBe(text)
  })

  test('leaves only printable ASCII, and visDecode finds the bytes again', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const text = visEncode(bytes)
        expect(text).toMatch(/^[!-~]*$/)
        expect(visDecode(text)).toBe(bytes)
      })
    )
  })
})

describe('visDecode', () => {
  test.each([
    ['\\s\\t\\n\\r\\e', ' \t\n\r\x1b'],
    ['\\x7f\\xFF', '\x7f\xff'],
    ['\\#\\"', '#"'],
    ['\\^A\\^?\\M-a\\M^A\\M^?', '\x01\x7f\xe1\x81\xff'],
    ['\\0', '\0'],
    ['a\\1019', 'aA9']
  ])('reads %j in the styles of other programs', (text, bytes) => {
    expect(visDecode(text)).toBe(bytes)
  })

  test.each(['\\', 'a\\', '\\q', '\\x', '\\M', '\\^'])('does not understand %j', (text) => {
    expect(visDecode(text)).toBeUndefined()
  })
})
