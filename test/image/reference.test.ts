import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReference, parseTag } from '../../src/image/reference.ts'
import { failureCode } from './errors.ts'

describe('parseReference', () => {
  it.each([
    ['layout', 'layout', 'latest'],
    ['layout:12', 'layout', '12'],
    ['/a/b:c', '/a/b', 'c'],
    ['p:a:b', 'p', 'a:b'],
    ['p:x/y@z', 'p', 'x/y@z'],
    ['../p q:t', '../p q', 't']
  ])('splits %j at the first colon', (text, path, tag) => {
    expect(parseReference(text)).toEqual({ path, tag })
  })

  it.each(['', ':', ':tag', 'p:', 'p::a'])('refuses %j', (text) => {
    expect(failureCode(() => parseReference(text))).toBe('REFERENCE_INVALID')
  })
})

describe('parseTag', () => {
  it.each(['a:b', 'a/b', 'a@b', 'a+b', 'a--b', 'A_b.c-d:e/f', '12', 'v1.2-rc.1'])(
    'takes %j',
    (tag) => {
      expect(parseTag(tag)).toBe(tag)
    }
  )

  it.each([
    'a---b',
    'a-',
    'a..b',
    'a b',
    'ünï',
    '',
    '-a',
    '.a',
    '/a',
    ':a',
    'a/',
    'a//b',
    'a/-b',
    'a_-b',
    'a\n'
  ])('refuses %j', (tag) => {
    expect(failureCode(() => parseTag(tag))).toBe('REFERENCE_INVALID')
  })

  it('decides long hostile tags at once', () => {
    expect(failureCode(() => parseTag(`${'a-'.repeat(100_000)}!`))).toBe('REFERENCE_INVALID')
  })

  it('takes whatever words are joined by single separators', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9]{1,5}$/)
    const join = fc.constantFrom('-', '.', '_', ':', '@', '+', '/', '--')
    fc.assert(
      fc.property(word, fc.array(fc.tuple(join, word), { maxLength: 5 }), (first, rest) => {
        const tag = first + rest.flat().join('')
        expect(parseTag(tag)).toBe(tag)
        expect(parseReference(`dir:${tag}`)).toEqual({ path: 'dir', tag })
      })
    )
  })
})
