/** What usage texts and completion say about the transports. */
import { DEFAULT_TRANSPORT, TRANSPORTS } from '../transports/list.ts'

/** The forms of an image's name, and of a place with all its images. */
export const IMAGE_FORMS: string = oneOf(({ one }) => one)
export const PLACE_FORMS: string = oneOf(({ all }) => all)

/** The same for places whose images are all at hand. */
export const LOCAL_PLACE_FORMS: string = oneOf(
  ({ all }) => all,
  TRANSPORTS.filter(({ holder }) => holder !== 'registry')
)

/** The same for images that can be changed where they are. */
export const CHANGEABLE_FORMS: string = oneOf(
  ({ one }) => one,
  TRANSPORTS.filter((transport) => transport.change !== undefined)
)

/** Fills in the transports in a completion script: an alternation, a list, and those that lead to files. */
export function withTransports(script: string): string {
  const prefixes = TRANSPORTS.map(({ name }) => `${name}:`)
  const ofFiles = TRANSPORTS.filter(({ holder }) => holder === 'file').map(({ name }) => name)
  return script
    .replaceAll('@TRANSPORTS@', TRANSPORTS.map(({ name }) => name).join('|'))
    .replaceAll('@PREFIXES@', prefixes.join(' '))
    .replaceAll('@OF_FILES@', ofFiles.join('|'))
}

function oneOf(
  form: (usage: (typeof TRANSPORTS)[number]['usage']) => string,
  transports: typeof TRANSPORTS = TRANSPORTS
): string {
  const [first, ...others] = transports.map(({ name, usage }) =>
    name === DEFAULT_TRANSPORT.name ? `[${name}:]${form(usage)}` : `${name}:${form(usage)}`
  )
  const last = others.pop()
  return last === undefined ? first! : `${[first, ...others].join(', ')} or ${last}`
}
