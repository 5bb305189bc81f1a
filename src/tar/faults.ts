/** Errors about archives and entries. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError, type Facts } from '../errors.ts'

/** The archive itself is damaged at `offset`, where the faulty block starts. */
export function tarInvalid(offset: number, message: string, facts: Facts = {}): OciUnpackError {
  return new OciUnpackError('TAR_INVALID', message, { facts: { offset, ...facts } })
}

/** The archive can be read, but one member asks for something impossible. */
export function entryInvalid(
  offset: number,
  entry: ByteString,
  message: string,
  facts: Facts = {}
): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', message, {
    facts: { entry: display(entry), offset, ...facts }
  })
}

export function limitExceeded(
  offset: number,
  what: string,
  expected: string,
  found: number,
  hint?: string
): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', `${what} is larger than the limit.`, {
    facts: { offset, expected, found },
    ...(hint === undefined ? {} : { hint })
  })
}
