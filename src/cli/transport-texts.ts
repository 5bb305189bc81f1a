/** What usage texts and completion say about the transports. */
import { DEFAULT_TRANSPORT, TRANSPORTS } from '../transports/list.ts'

/** The forms of an image's name, and of a place with all its images. */
export const IMAGE_FORMS: string = oneOf(({ one }) => one)
export const PLACE_FORMS: string = oneOf(({ all }) => all)

/** Fills in the transports in a completion script: an alternation, a list, and those that lead to files. */
export function withTransports(script: string): string {
  const prefixes = TRANSPORTS.map(({ name }) => `${name}:`)
  const ofFiles = TRANSPORTS.filter(({ holder }) => holder === 'file').map(({ name }) => name)
  return script
    .replaceAll('@TRANSPORTS@', TRANSPORTS.map(({ name }) => name).join('|'))
    .replaceAll('@PREFIXES@', prefixes.join(' '))
    .replaceAll('@OF_FILES@', ofFiles.join('|'))
}

function oneOf(form: (usage: (typeof TRANSPORTS)[number]['usage']) => string): string {
  const [first, ...others] = TRANSPORTS.map(({ name, usage }) =>
    name === DEFAULT_TRANSPORT.name ? `[${name}:]${form(usage)}` : `${name}:${form(usage)}`
  )
  const last = others.pop()
  return last === undefined ? first! : `${[first, ...others].join(', ')} or ${last}`
}
