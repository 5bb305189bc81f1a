import { expect, test } from 'vitest'
import { newestOf, type Dated } from '../../src/plan/prune.ts'

/** `NAME IMAGE DAY`; an image with a colon is `PLACE:TAG`, and one without says nothing of its place. */
function bundles(...lines: string[]): Dated[] {
  return lines.map((line) => {
    const [name, image, day] = line.split(' ') as [string, string, string]
    const place = image.includes(':') ? { place: image.split(':')[0]! } : {}
    return { name, image: { name: image, ...place }, unpacked: `2026-01-${day}T00:00:00.000Z` }
  })
}

test.each<[name: string, lines: string[], keep: number, newest: string[]]>([
  ['nothing', [], 1, []],
  ['the newest, whatever its name', ['a p:1 03', 'b p:2 02', 'c p:3 01'], 1, ['a']],
  ['several', ['a p:1 01', 'b p:2 02', 'c p:3 03'], 2, ['b', 'c']],
  ['fewer than there may be', ['a p:1 01'], 3, ['a']],
  ['of each place', ['a p:1 01', 'b p:2 02', 'c q:1 01'], 1, ['b', 'c']],
  ['of each name without a place', ['a x 01', 'b x 02', 'c y 01', 'd x:1 01'], 1, ['b', 'c', 'd']],
  ['the higher name of two at the same time', ['b p:1 01', 'a p:1 01'], 1, ['b']]
])('%s', (_name, lines, keep, newest) => {
  expect([...newestOf(bundles(...lines), keep)].sort()).toEqual(newest)
})
