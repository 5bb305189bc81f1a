import { describe, expect, test } from 'vitest'
import { conflictRules } from '../../../src/plan/upgrade/conflict-rules.ts'
import { fromText } from '../../../src/bytes.ts'
import { failure } from '../../support/failure.ts'

describe('conflictRules', () => {
  test('says nothing without rules', () => {
    expect(conflictRules([])('etc/passwd')).toBeUndefined()
  })

  test('lets the last rule about a path count', () => {
    const resolve = conflictRules(['keep', 'both:etc', 'new:etc/ssl/*.conf'])
    expect(resolve('usr/bin/env')).toBe('keep')
    expect(resolve('etc/hosts')).toBe('both')
    expect(resolve('etc/ssl/openssl.conf')).toBe('new')
    expect(resolve('etc/ssl/certs/a.conf')).toBe('both')
  })

  test.each([
    ['etc', 'etc', true],
    ['etc', 'etc/passwd', true],
    ['etc', 'etcetera', false],
    ['etc', 'usr/etc', false],
    ['/etc/', 'etc/passwd', true],
    ['./etc', 'etc/passwd', true],
    ['//etc/.//ssl/.', 'etc/ssl/certs', true],
    ['.etc', 'etc', false],
    ['a./b', 'a./b', true],
    ['a./b', 'a/b', false],
    ['etc/*', 'etc/ssl/certs', true],
    ['etc/*.conf', 'etc/a.conf', true],
    ['etc/*.conf', 'etc/a/b.conf', false],
    ['etc/*.conf', 'etc/aXconf', false],
    ['etc/**', 'etc', false],
    ['etc/**', 'etc/ssl/certs', true],
    ['**/*.conf', 'a.conf', true],
    ['**/*.conf', 'usr/lib/a.conf', true],
    ['etc/**/a', 'etc/a', true],
    ['etc/**/a', 'etc/x/y/a', true],
    ['etc/?', 'etc/a', true],
    ['etc/?', 'etc/ab', false],
    ['etc/[a-c]x', 'etc/bx', true],
    ['etc/[!a-c]x', 'etc/bx', false],
    ['etc/[^a-c]x', 'etc/dx', true],
    ['etc[!a]x', 'etc/x', false],
    ['etc/[]]', 'etc/]', true],
    ['etc/\\*', 'etc/*', true],
    ['etc/\\*', 'etc/a', false],
    ['etc/[', 'etc/[', true],
    ['etc/[]', 'etc/[]', true],
    ['etc/[!]', 'etc/!', true],
    ['a+(b|c).$', 'a+(b|c).$', true],
    ['a+', 'aa', false],
    ['Ä*', 'Äpfel', true]
  ])('matches %s with %s: %s', (pattern, path, expected) => {
    const resolve = conflictRules([`keep:${pattern}`])
    expect(resolve(fromText(path))).toBe(expected ? 'keep' : undefined)
  })

  test('does not stop at a name with a line break', () => {
    expect(conflictRules(['keep:etc/**/z'])('etc/a\nb/z')).toBe('keep')
  })

  test.each(['', 'merge', 'Keep', 'theirs:etc', ':etc'])('refuses the action of "%s"', (rule) => {
    expect(failure(() => conflictRules([rule]))).toMatchObject({ code: 'USAGE' })
  })

  test('refuses a range that ends before it begins', () => {
    expect(failure(() => conflictRules(['keep:etc/[z-a]']))).toMatchObject({ code: 'USAGE' })
  })

  test.each(['keep:', 'both:/', 'both:.', 'new:./'])(
    'refuses the empty pattern of "%s"',
    (rule) => {
      expect(failure(() => conflictRules([rule]))).toMatchObject({ code: 'USAGE' })
    }
  )
})
