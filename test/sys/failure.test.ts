import { expect, test } from 'vitest'
import { isErrno, SyscallError } from '../../src/sys/failure.ts'
import { setTimesOf } from '../../src/sys/metadata.ts'
import { makeDirectory, makeSpecial, renameNew } from '../../src/sys/names.ts'
import { failure } from '../support/failure.ts'
import { withScratch } from '../support/open-directory.ts'

test('a failed call is shown as in a trace: name, arguments and the name of the error', () => {
  withScratch((fd) => {
    expect(failure(() => makeDirectory(fd, 'no/where', 0o755))).toMatchObject({
      code: 'SYSCALL_FAILED',
      message: 'The call mkdirat("no/where", 0755) failed: it does not exist.',
      facts: { call: 'mkdirat("no/where", 0755) = ENOENT', path: 'no/where' }
    })
    expect(failure(() => makeSpecial(fd, 'x/y', 'char', 0o600, 5, 1))?.facts.call).toBe(
      'mknodat("x/y", char, 0600, 5:1) = ENOENT'
    )
    expect(failure(() => setTimesOf(-1, ZERO, { sec: -5, nsec: 7 }))?.facts.call).toBe(
      'futimens(-1, -5, 7) = EBADF'
    )
  })
})

test('names in it are made readable, whatever bytes they hold', () => {
  withScratch((fd) => {
    expect(failure(() => renameNew(fd, 'a\n\x1b[2J', fd, '\xff'))?.facts).toEqual({
      call: String.raw`renameat2("\xff", from "a\x0a\x1b[2J") = ENOENT`,
      path: String.raw`\xff`
    })
  })
})

test('a full disk comes with advice', () => {
  const error = new SyscallError('ENOSPC', 'pwrite(7, 512, 0)', undefined)
  expect(error.message).toBe('The call pwrite(7, 512, 0) failed: no space left on the device.')
  expect(error.hint).toBe('Free some space, or choose another file system.')
})

test('where a directory is wanted, only the path itself can be none', () => {
  const error = new SyscallError('ENOTDIR', 'openat("x", O_DIRECTORY|O_NOFOLLOW)', 'x')
  expect(error.message).toMatch(/ failed: it is not a directory\.$/)
  expect(error.hint).toBe('Choose a directory.')
})

test('an error that no sentence is known for keeps its name', () => {
  expect(new SyscallError('EUCLEAN', 'statx("x")', 'x').message).toBe(
    'The call statx("x") failed: EUCLEAN.'
  )
})

test('only failed calls have an errno to compare', () => {
  const error = new SyscallError('EEXIST', 'mkdirat("x")', 'x')
  expect(isErrno(error, 'ENOENT', 'EEXIST')).toBe(true)
  expect(isErrno(error, 'ENOENT')).toBe(false)
  expect(isErrno(Object.assign(new Error(), { errno: 'EEXIST' }), 'EEXIST')).toBe(false)
})

const ZERO = { sec: 0, nsec: 0 }
