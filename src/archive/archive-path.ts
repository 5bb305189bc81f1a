/** The path of an archive that the operator gave, before the archive is opened. */
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { attempt } from '../store/file.ts'

/** The absolute path, with links resolved. @throws ARCHIVE_INVALID if nothing or a pipe is there; SYSCALL_FAILED */
export function resolved(path: string): string {
  if (isPipe(path)) throw piped(path)
  try {
    return realpathSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notArchive(path, 'missing')
    return attempt('realpath', path, () => {
      throw error
    })
  }
}

/** Its name in /proc leads nowhere, but it can be opened. */
function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO()
  } catch {
    return false
  }
}

function piped(path: string): OciUnpackError {
  return new OciUnpackError('ARCHIVE_INVALID', 'An archive cannot be read from a pipe.', {
    facts: { file: resolve(path), found: 'pipe' },
    hint: 'Write it to a file first, because it is not read in one pass.'
  })
}

/** @param found what is at the path instead */
export function notArchive(path: string, found: string): OciUnpackError {
  return new OciUnpackError('ARCHIVE_INVALID', 'There is no archive at this path.', {
    facts: { file: resolve(path), found },
    hint: 'Give the path of a tar file. For a layout directory, give only its path.'
  })
}
