/** Errors of the writer: what an image cannot hold is reported by name. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'

/** Something about an entry that EROFS cannot express. */
export function unwritable(path: ByteString, reason: string): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', 'The entry cannot be written to an EROFS image.', {
    facts: { entry: path === '' ? '/' : display(path), reason }
  })
}

/** More blocks, devices or bytes than EROFS has numbers for. */
export function tooMany(what: string, expected: string, found: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', `An EROFS image cannot hold ${what}.`, {
    facts: { expected, found }
  })
}
