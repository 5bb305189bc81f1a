import { describe, expect, test } from 'vitest'
import { paintFor } from '../../src/cli/color.ts'
import { formatError } from '../../src/cli/errors.ts'
import { OciUnpackError } from '../../src/errors.ts'

const TERMINAL = { isTTY: true }
const FILE = {}

describe('what is printed', () => {
  test.each<[string, string | undefined, { isTTY?: boolean }, NodeJS.ProcessEnv, boolean]>([
    ['has colour on a terminal', undefined, TERMINAL, {}, true],
    ['has none in a file or pipe', undefined, FILE, {}, false],
    ['has none with NO_COLOR', undefined, TERMINAL, { NO_COLOR: '1' }, false],
    ['has some with an empty NO_COLOR', 'auto', TERMINAL, { NO_COLOR: '' }, true],
    ['has none on a dumb terminal', 'auto', TERMINAL, { TERM: 'dumb' }, false],
    ['has some with --color always, whatever else', 'always', FILE, { NO_COLOR: '1' }, true],
    ['has none with --color never', 'never', TERMINAL, {}, false]
  ])('%s', (_name, color, stream, env, isColored) => {
    const input = { positionals: [], flags: { color } }
    expect(paintFor(input, stream, env)('red', 'x')).toBe(isColored ? '\x1b[31mx\x1b[0m' : 'x')
  })

  test('has colour on a terminal also where the arguments cannot be read', () => {
    expect(paintFor(undefined, TERMINAL, {})('red', 'x')).toContain('\x1b')
    expect(paintFor(undefined, FILE, {})('red', 'x')).toBe('x')
  })
})

test('an error in colour says the same', () => {
  const error = new OciUnpackError('USAGE', 'So not.', { facts: { path: 'p' }, hint: 'So.' })
  const painted = formatError(error, false, paintFor(undefined, TERMINAL, {}))
  expect(painted).toContain('\x1b[1;31moci-unpack:\x1b[0m So not.')
  expect(painted.replaceAll(/\x1b\[[\d;]*m/g, '')).toBe(formatError(error, false))
})
