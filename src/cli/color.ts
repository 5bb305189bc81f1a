/** Colour for people: only on terminals, unless asked for; https://no-color.org. */
import { text, type Flag, type Input } from './command.ts'
import { colored, plain, type Paint } from './paint.ts'

export const COLOR_FLAG: Flag = {
  name: 'color',
  value: 'WHEN',
  summary: 'when to use colours (default: auto, only on a terminal)',
  choices: ['auto', 'always', 'never']
}

/** `input` is undefined if the arguments could not be read. */
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
