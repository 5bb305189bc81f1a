import { OciUnpackError } from '../errors.ts'

/** @throws LIMIT_EXCEEDED */
export function checkLimit(what: string, found: number, limit: number): void {
  if (found <= limit) return
  throw new OciUnpackError('LIMIT_EXCEEDED', `The image has more ${what} than allowed.`, {
    facts: { expected: `at most ${limit}`, found: Math.ceil(found) },
    hint: 'If the image is to be trusted, raise the limit with the --max-… flags.'
  })
}
