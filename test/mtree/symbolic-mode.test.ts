import { expect, test } from 'vitest'
import { symbolicMode } from '../../src/mtree/symbolic-mode.ts'

test.each([
  ['u=rwx,go=rx', 0o755],
  ['a=r,u+w', 0o644],
  ['=rx', 0o555],
  ['+x', 0o111],
  ['u=rwxs,g=xs,o=xt', 0o7711],
  ['ugo=rwx,o-w,g-wx', 0o745],
  ['u=rw,u=x', 0o100],
  ['u=rwx-x', 0o600],
  ['u=', 0],
  ['a=X', 0o111]
])('%s is %i', (text, mode) => {
  expect(symbolicMode(text)).toBe(mode)
})

test.each(['', 'rwx', 'u', 'u+y', 'z=r', 'u=r,', '0755', 'u=rwx go=rx'])('%j is none', (text) => {
  expect(symbolicMode(text)).toBeUndefined()
})
