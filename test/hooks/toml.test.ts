import { describe, expect, test } from 'vitest'
import { nearest } from '../../src/hooks/nearest.ts'
import { lineOf, parseToml, TomlError } from '../../src/toml.ts'

const TEXT = `version = 1
# a comment = 2

name = "x" # trailing
[unpack.ociv1.layer.try-skip]
command = [
  "timeout = 3", # not a key

  "b"
]
timeout = "30s"
[store]
gc.command = ["x"]
gc.mode = """
mode = 1
"""
[ bundle . delete ]
`

describe('a line', () => {
  test.each([
    ['version', 1],
    ['name', 4],
    ['unpack.ociv1.layer.try-skip', 5],
    ['unpack.ociv1', 5],
    ['unpack.ociv1.layer.try-skip.command', 6],
    ['unpack.ociv1.layer.try-skip.timeout', 11],
    ['store', 12],
    ['store.gc.command', 13],
    ['store.gc.mode', 14],
    ['bundle.delete', 17]
  ])('of %s is %i', (path, line) => {
    expect(lineOf(TEXT, path.split('.'))).toBe(line)
    expect(lineOf(TEXT.replaceAll('\n', '\r\n'), path.split('.'))).toBe(line)
  })

  test('of what is not there is none', () => {
    expect(lineOf(TEXT, ['mode'])).toBeUndefined()
  })
})

test('what is no TOML is an error with its line, counted from 1', () => {
  const fault = (text: string): unknown => {
    try {
      return parseToml(text)
    } catch (error) {
      return error
    }
  }
  expect(fault('a = 1\nb = \nc = 3\n')).toMatchObject({ line: 2 })
  expect(fault('x')).toBeInstanceOf(TomlError)
  expect(fault('a = 1\na = 2\n')).toMatchObject({ line: 2 })
})

test.each([
  ['try-skpi', 'try-skip'],
  ['tryskip', 'try-skip'],
  ['comand', 'command'],
  ['colour', undefined],
  ['x', undefined]
])('the word nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['try-skip', 'pre-extract', 'command', 'mode'])).toBe(expected)
})
