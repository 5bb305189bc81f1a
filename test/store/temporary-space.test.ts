import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { inTemporary, TMPDIR_HINT } from '../../src/store/temporary-space.ts'
import { SyscallError } from '../../src/sys/failure.ts'
import { failureOf } from '../registry/support.ts'

const failing = (error: Error) => (): Promise<never> => Promise.reject(error)
const fromNode = Object.assign(new Error('full'), { syscall: 'write', code: 'ENOSPC' })

test.each<[string, string | undefined, Error]>([
  ['below the place', '/t', new SyscallError('ENOSPC', 'write()', '/t/x')],
  ['over quota', '/t', new SyscallError('EDQUOT', 'write()', '/t/x')],
  ['without a path', undefined, new SyscallError('ENOSPC', 'write()', undefined)],
  ['of Node', undefined, fromNode]
])('a full place for temporary files is named: %s', async (_, within, error) => {
  const { hint, facts, errno } = await failureOf(inTemporary(within, failing(error)))
  expect(hint).toContain('TMPDIR')
  expect(facts.path).toBe(tmpdir())
  expect(['ENOSPC', 'EDQUOT']).toContain(errno)
})

test.each(['ENOENT', 'EACCES'])('a place that cannot be used (%s) is named', async (errno) => {
  const error = new SyscallError(errno, 'mkdir()', `${tmpdir()}/x`)
  expect((await failureOf(inTemporary(undefined, failing(error)))).hint).toBe(TMPDIR_HINT)
})

test.each<[string, string | undefined, Error]>([
  ['another place', '/t', new SyscallError('ENOSPC', 'write()', '/other/x')],
  ['a place that begins like it', '/t', new SyscallError('ENOSPC', 'write()', '/two')],
  ['one that is not temporary', undefined, new SyscallError('ENOENT', 'open()', '/elsewhere')],
  ['another failure', undefined, new SyscallError('EIO', 'write()', '/t/x')]
])('the error stays as it is: %s', async (_, within, error) => {
  await expect(inTemporary(within, failing(error))).rejects.toBe(error)
})
