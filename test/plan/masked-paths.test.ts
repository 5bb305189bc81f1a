/** What is known of the files of a layer while those above it are read. */
import { expect, test } from 'vitest'
import { MaskedPaths, maskMemory } from '../../src/plan/masked-paths.ts'
import { NO_METADATA } from '../../src/plan/no-metadata.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../../src/plan/staged-entry.ts'

type Note = [layer: number, type: StagedEntry['type'], path: string, link?: string]

const above: Note[] = [[2, 'file', 'd/f']]

test.each<[title: string, notes: Note[], layer: number, path: string, isMasked: boolean]>([
  ['nothing above', [], 1, 'd/f', false],
  ['a file', above, 1, 'd/f', true],
  ['a file that replaces its directory', above, 1, 'd/f/g/h', true],
  ['a file beside it', above, 1, 'd/ff', false],
  ['a file above it', above, 1, 'd', false],
  ['a file in the same layer', above, 2, 'd/f', false],
  ['a file below', above, 3, 'd/f', false],
  ['a file of the base, of which nothing is noted', [[0, 'file', 'f']], 0, 'f', false],
  ['a symbolic link in place of its directory', [[1, 'symlink', 'd', 'e']], 0, 'd/f', true],
  ['a whiteout', [[1, 'whiteout', 'f']], 0, 'f', true],
  ['a whiteout of its directory', [[1, 'whiteout', 'd']], 0, 'd/e/f', true],
  ['a whiteout in the same layer', [[1, 'whiteout', 'f']], 1, 'f', false],
  ['an opaque directory', [[1, 'opaque', 'd']], 0, 'd/e/f', true],
  ['a file in place of an opaque directory', [[1, 'opaque', 'd']], 0, 'd', false],
  ['an opaque root', [[1, 'opaque', '']], 0, 'd/f', true],
  ['a directory in its place', [[1, 'directory', 'f']], 0, 'f', true],
  ['its own directory', [[1, 'directory', 'd']], 0, 'd/f', false],
  ['a hard link in its place', [[1, 'hardlink', 'f', 'g']], 0, 'f', true],
  ['a hard link to it', [[1, 'hardlink', 'g', 'f']], 0, 'f', false],
  [
    'a hard link to it before it is deleted',
    [
      [1, 'hardlink', 'g', 'd/f'],
      [2, 'whiteout', 'd']
    ],
    0,
    'd/f',
    false
  ],
  [
    'a hard link to it, read after what replaces it',
    [
      [2, 'file', 'f'],
      [1, 'hardlink', 'g', 'f']
    ],
    0,
    'f',
    false
  ],
  [
    'a hard link to what replaced it',
    [
      [1, 'file', 'f'],
      [1, 'hardlink', 'g', 'f']
    ],
    0,
    'f',
    true
  ],
  ['a hard link to itself', [[1, 'hardlink', 'f', 'f']], 0, 'f', false]
])('%s', (_title, notes, layer, path, isMasked) => {
  const memory = maskMemory(0)
  for (const [from, type, name, link = ''] of notes)
    new MaskedPaths(memory, from).note(entry(type, name, link))
  expect(new MaskedPaths(memory, layer).masks(path)).toBe(isMasked)
})

test('when the memory is full, what comes later is not noted, and the rest is as before', () => {
  const memory = maskMemory(0)
  const upper = new MaskedPaths(memory, 1)
  const lower = new MaskedPaths(memory, 0)
  const names = Array.from({ length: 2000 }, (_, index) => `directory/${index}`)
  for (const name of names) upper.note(entry('file', name))
  const masked = names.filter((name) => lower.masks(name))
  expect(masked).toEqual(names.slice(0, 768))
  expect(lower.masks('directory/other')).toBe(false)
})

test('the memory grows with the image, within bounds', () => {
  expect([0, 2 ** 30, 2 ** 50].map((bytes) => maskMemory(bytes).byteLength >> 13)).toEqual([
    1, 512, 1024
  ])
})

test('100,000 paths are told apart', () => {
  const memory = maskMemory(2 ** 30)
  const upper = new MaskedPaths(memory, 1)
  const lower = new MaskedPaths(memory, 0)
  for (let index = 0; index < 100_000; index++) upper.note(entry('file', `usr/lib/${index}`))
  let wrong = 0
  for (let index = 0; index < 100_000; index++) {
    if (!lower.masks(`usr/lib/${index}`)) wrong++
    if (lower.masks(`usr/share/${index}`)) wrong++
  }
  expect(wrong).toBe(0)
})

function entry(type: StagedEntry['type'], path: string, link = ''): StagedEntry {
  return { ...NO_METADATA, type, path, link, staged: STAGED_NOWHERE }
}
