/** Colour for people: only on terminals, unless asked for; https://no-color.org. */
import { text, type Flag, type Input } from './command.ts'

export const COLOR_FLAG: Flag = {
  name: 'color',
  value: 'WHEN',
  summary: 'when to colour what is printed (default: auto, which is on a terminal)',
  choices: ['auto', 'always', 'never']
}

const CODES = { red: '31', green: '32', yellow: '33', failure: '1;31', aside: '2' } as const

export type Style = keyof typeof CODES

export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_style, text) => text

const colored: Paint = (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`

/** Undefined `input`: the arguments could not be read. */
export function paintFor(
  input: Input | undefined,
  stream: { isTTY?: boolean },
  env: Readonly<NodeJS.ProcessEnv>
): Paint {
  const mode = input === undefined ? undefined : text(input, 'color')
  if (mode === 'always') return colored
  if (mode === 'never' || stream.isTTY !== true) return plain
  return env['NO_COLOR'] || env['TERM'] === 'dumb' ? plain : colored
}
