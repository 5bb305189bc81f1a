/** Which answers may be other ones the next time. */
import { busy, failed, type Place } from './errors.ts'
import type { HttpAnswer } from './http.ts'
import { parseRetryAfter, type Setback } from './tries.ts'

const TRANSIENT: readonly number[] = [408, 500, 502, 503, 504]

/** Undefined: it does not help to ask again. */
export function setbackOf(
  place: Place,
  { status, headers }: HttpAnswer,
  reason: string
): Setback | undefined {
  if (status !== 429 && !TRANSIENT.includes(status)) return undefined
  const header = headers['retry-after']
  const retryAfterMs = parseRetryAfter(header, Date.now())
  const told = [reason, askedFor(retryAfterMs)].filter(Boolean).join('; ')
  const error = status === 429 ? busy(place, status, told) : failed(place, status, told)
  return { error, reason: `HTTP ${status}`, retryAfterMs }
}

function askedFor(retryAfterMs: number | undefined): string {
  return retryAfterMs === undefined
    ? ''
    : `the registry asks for a pause of ${Math.ceil(retryAfterMs / 1000)} s`
}
