/** Opens the file of an image among those that were made with it. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError, withHint } from '../errors.ts'
import { isErrno } from '../sys/failure.ts'
import { openFile } from '../sys/files.ts'

/** @param directory descriptor. @throws EROFS_INVALID if a symbolic link is in its place; SYSCALL_FAILED */
export function openImage(directory: number, name: ByteString): number {
  try {
    return openFile(directory, name)
  } catch (error) {
    if (isErrno(error, 'ELOOP')) throw linked(name, error)
    throw isErrno(error, 'ENOENT') ? withHint(error, MISSING) : error
  }
}

const MISSING = 'Put the file back, or make the images again.'

function linked(name: ByteString, cause: unknown): OciUnpackError {
  return new OciUnpackError('EROFS_INVALID', 'An EROFS image is not the one that was made.', {
    facts: { file: display(name), reason: 'it is a symbolic link' },
    hint: 'Put the file itself there, or make the images again.',
    cause
  })
}
