/** Dates in RFC 3339 format. */
import { OciUnpackError } from '../errors.ts'

const RFC3339 =
  /^(?<date>\d{4}-\d{2}-\d{2})T(?<time>\d{2}:\d{2}:\d{2})(?:\.(?<fraction>\d{1,9}))?(?<offset>Z|[+-]\d{2}:\d{2})$/

/**
 * A date and time of RFC 3339, with nanoseconds at most, as Go and umoci write it: no zeros at the end of the fraction,
 * `Z` if there is no offset.
 * @throws USAGE for other text, or an impossible day or hour
 */
export function parseTimestamp(text: string): string {
  const parts = RFC3339.exec(text)?.groups
  if (parts === undefined) throw invalid(text)
  const { date, time, offset } = parts as { date: string; time: string; offset: string }
  const zone = /^[+-]00:00$/.test(offset) ? 'Z' : offset
  if (!isOnCalendar(date, time) || !isOffset(zone)) throw invalid(text)
  const fraction = (parts['fraction'] ?? '').replace(/0+$/, '')
  return `${date}T${time}${fraction === '' ? '' : `.${fraction}`}${zone}`
}

/** Date.parse turns 30 February into a day in March. */
function isOnCalendar(date: string, time: string): boolean {
  const milliseconds = Date.parse(`${date}T${time}Z`)
  if (Number.isNaN(milliseconds)) return false
  return new Date(milliseconds).toISOString() === `${date}T${time}.000Z`
}

function isOffset(zone: string): boolean {
  return /^(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/.test(zone)
}

function invalid(found: string): OciUnpackError {
  return new OciUnpackError('USAGE', 'A date is not in RFC 3339 format.', {
    facts: { found },
    hint: 'Write it like this: 2026-11-21T10:00:00Z.'
  })
}
