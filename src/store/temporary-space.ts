/** Where temporary files are, there may be less space than where the results go. */
import { tmpdir } from 'node:os'
import { OciUnpackError, withHint } from '../errors.ts'
import { fromNode, isErrno } from '../sys/failure.ts'

/** Where temporary files cannot be made at all. */
export const TMPDIR_HINT = 'Set TMPDIR to a directory that exists and that you may write to.'

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
    throw aboutTemporary(error, within)
  }
}

function isBelow({ facts }: OciUnpackError, directory: string): boolean {
  return `${facts.path}/`.startsWith(`${directory}/`)
}

/** The error with TMPDIR in its hint, if it is about that. @param within as in `inTemporary` */
export function aboutTemporary(failure: unknown, within?: string): unknown {
  const error = fromNode(failure)
  if (!(error instanceof OciUnpackError)) return error
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EROFS') && isBelow(error, tmpdir()))
    return withHint(error, TMPDIR_HINT)
  if (!isErrno(error, 'ENOSPC', 'EDQUOT')) return error
  const { code, message, facts, errno = '' } = error
  if (within !== undefined && !isBelow(error, within)) return error
  return new OciUnpackError(code, message, {
    facts: { ...facts, path: tmpdir() },
    hint: 'Temporary files need more space: set TMPDIR to a directory on another file system.',
    errno,
    cause: error
  })
}
