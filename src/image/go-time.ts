/**
 * A date of RFC 3339 in the form in which Go writes it (time.RFC3339Nano): no zeros at the end of the fraction, and `Z`
 * if there is no offset. Text in any other form is unchanged.
 */
export function goTime(text: string): string {
  const [, seconds, fraction = '', offset = ''] = DATE.exec(text) ?? []
  if (seconds === undefined) return text
  const digits = fraction.slice(0, 9).replace(/0+$/, '')
  const zone = /^[+-]00:00$/.test(offset) ? 'Z' : offset
  return `${seconds}${digits === '' ? '' : `.${digits}`}${zone}`
}

const DATE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/
