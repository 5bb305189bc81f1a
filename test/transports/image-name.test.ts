import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTag } from '../../src/image/tag.ts'
import { formatImageName, parseImageName, parseNewName } from '../../src/transports/image-name.ts'
import { failure, failureCode } from '../image/errors.ts'

describe('parseNewName', () => {
  test.each([
    ['layout', 'layout', 'latest'],
    ['layout:12', 'layout', '12'],
    ['/a/b:c', '/a/b', 'c'],
    ['p:a:b', 'p', 'a:b'],
    ['p:x/y@z', 'p', 'x/y@z'],
    ['../p q:t', '../p q', 't'],
    ['oci:layout', 'layout', 'latest'],
    ['oci:/a:b:c', '/a', 'b:c'],
    ['./oci:a', './oci', 'a']
  ])('splits %j at the first colon', (text, path, tag) => {
    expect(parseNewName(text)).toEqual({ transport: 'oci', path, tag })
  })

  test.each(['', ':', ':tag', 'p:', 'p::a'])('refuses %j', (text) => {
    expect(failureCode(() => parseNewName(text))).toBe('REFERENCE_INVALID')
  })
})

test('an image in an archive cannot be changed, and the hint says what to do', () => {
  const error = failure(() => parseNewName('oci-archive:a.tar:t'))
  expect(error).toMatchObject({
    code: 'REFERENCE_INVALID',
    hint: expect.stringContaining('Copy it to a layout first') as unknown
  })
})

describe('parseImageName', () => {
  test.each([
    ['p', 'oci', 'p', undefined],
    ['oci:p:t', 'oci', 'p', 't'],
    ['oci-archive:/a/b.tar', 'oci-archive', '/a/b.tar', undefined],
    ['oci-archive:b.tar:t', 'oci-archive', 'b.tar', 't'],
    ['docker-archive:b.tar', 'docker-archive', 'b.tar', undefined],
    ['docker-archive:b.tar:host:5000/n:t', 'docker-archive', 'b.tar', 'host:5000/n:t'],
    ['docker-archive:b.tar:@12', 'docker-archive', 'b.tar', '@12']
  ])('splits %j', (text, transport, path, tag) => {
    const name = parseImageName(text)
    expect(name).toEqual({ transport, path, tag })
    expect(parseImageName(formatImageName(name))).toEqual(name)
  })

  test.each(['oci:', 'oci-archive::t', 'docker-archive:', 'oci-archive:b:', 'p@sha256:12'])(
    'refuses %j',
    (text) => {
      expect(failureCode(() => parseImageName(text))).toBe('REFERENCE_INVALID')
    }
  )
})

describe('parseTag', () => {
  test.each(['a:b', 'a/b', 'a@b', 'a+b', 'a--b', 'A_b.c-d:e/f', '12', 'v1.2-rc.1'])(
    'takes %j',
    (tag) => {
      expect(parseTag(tag)).toBe(tag)
    }
  )

  test.each([
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

  test('decides long hostile tags at once', () => {
    expect(failureCode(() => parseTag(`${'a-'.repeat(100_000)}!`))).toBe('REFERENCE_INVALID')
  })

  test('takes whatever words are joined by single separators', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9]{1,5}$/)
    const join = fc.constantFrom('-', '.', '_', ':', '@', '+', '/', '--')
    fc.assert(
      fc.property(word, fc.array(fc.tuple(join, word), { maxLength: 5 }), (first, rest) => {
        const tag = first + rest.flat().join('')
        expect(parseTag(tag)).toBe(tag)
        expect(parseNewName(`layout:${tag}`)).toMatchObject({ path: 'layout', tag })
      })
    )
  })
})
