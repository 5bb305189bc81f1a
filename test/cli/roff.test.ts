import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bold, literal, prose } from '../../src/cli/man/roff.ts'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'

const TEXTS = [
  '.SH is no section here',
  "'br is no break here",
  'C:\\new\\fB and \\" a comment',
  'oci-unpack --uid-map 0:1 -f ~/x ^ ` " \'',
  '-- alone, a well-known word, --no-hooks'
]

test('hyphens of options can be typed, those of prose stay hyphens', () => {
  expect(prose('a well-known --no-hooks and -f')).toBe('a well-known \\-\\-no\\-hooks and \\-f')
  expect(bold('--gid-map')).toBe('\\fB\\-\\-gid\\-map\\fR')
})

test.each(TEXTS)('no text is a command: %s', (text) => {
  for (const line of [prose(text), literal(text)]) {
    expect(line).not.toMatch(/^[.']/)
    expect(line.replaceAll(/\\(?:e|-|&|\((?:aq|ga|ha|ti|dq))/g, '')).not.toContain('\\')
  }
})

test.runIf(needs('groff'))('groff shows literal text byte for byte', () => {
  withTemporary((directory) => {
    const page = ['.TH T 1 2026-01-01', '.SH NAME', '.EX', ...TEXTS.map(literal), '.EE', '']
    writeFileSync(`${directory}/page`, page.join('\n'))
    const shown = run('groff', '-man', '-ww', '-Tascii', '-P-cbou', `${directory}/page`)
    expect(shown.stderr).toBe('')
    for (const text of TEXTS) expect(shown.stdout).toContain(`${text}\n`)
  })
})
