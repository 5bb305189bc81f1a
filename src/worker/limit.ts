/** Checking limits while a layer is read. */
import { OciUnpackError } from '../errors.ts'

const HINTS = {
  entries: 'Raise {limits.entries} if you trust the image.',
  'unpacked bytes': 'Raise {limits.unpackedBytes} if you trust the image.',
  'bytes per compressed byte': 'Raise {limits.ratio} if you trust the image.'
}

/** @throws LIMIT_EXCEEDED */
export function checkLimit(what: keyof typeof HINTS, found: number, limit: number): void {
  if (found <= limit) return
  throw new OciUnpackError('LIMIT_EXCEEDED', `The image has more ${what} than allowed.`, {
    facts: { expected: `at most ${limit}`, found: Math.ceil(found) },
    hint: HINTS[what]
  })
}
