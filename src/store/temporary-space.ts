/** Where temporary files are, there may be less space than where the results go. */
import { tmpdir } from 'node:os'
import { OciUnpackError } from '../errors.ts'
import { fromNode, isErrno } from '../sys/failure.ts'

/**
 * Errors about space name TMPDIR. @param within what is temporary; if undefined, everything that `act` writes
 * @throws what `act` throws
 */
export async function inTemporary<T>(
  within: string | undefined,
  act: () => Promise<T>
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw named(fromNode(error), within)
  }
}

function named(error: unknown, within: string | undefined): unknown {
  if (!(error instanceof OciUnpackError) || !isErrno(error, 'ENOSPC', 'EDQUOT')) return error
  const { code, message, facts, errno = '' } = error
  if (within !== undefined && !String(facts.path).startsWith(`${within}/`)) return error
  return new OciUnpackError(code, message, {
    facts: { ...facts, path: tmpdir() },
    hint: 'Temporary files need more space: set TMPDIR to a directory on another file system.',
    errno,
    cause: error
  })
}
