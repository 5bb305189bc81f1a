import fc from 'fast-check'
import { expect, test } from 'vitest'
import { treeMembers } from '../support/arbitrary-erofs.ts'
import { buildLayer, staged } from '../support/erofs-image.ts'
import { expectedTree, readAll } from '../support/erofs-read.ts'

test('an image of a layer is read again with every field', () => {
  fc.assert(
    fc.property(treeMembers, (members) => {
      expect(readAll(buildLayer(members).image)).toEqual(expectedTree(members))
    })
  )
})

test('the order of entries without bodies makes no difference to the bytes', () => {
  fc.assert(
    fc.property(treeMembers, (members) => {
      const isStill = ({ entry }: { entry: { type: string } }): boolean =>
        entry.type === 'symlink' || entry.type === 'fifo'
      const moved = [...members.filter((m) => !isStill(m)), ...members.filter(isStill)]
      const kept = moved.filter(({ entry }) => entry.type !== 'hardlink')
      const before = members.filter(({ entry }) => entry.type !== 'hardlink')
      expect(buildLayer(kept).image.equals(buildLayer(before).image)).toBe(true)
    })
  )
})

test.each([1, 2, 3, 169, 170, 171, 400, 3000, 20_000])('a directory of %i names', (count) => {
  const members = Array.from({ length: count }, (_, i) => ({ entry: staged('fifo', `name-${i}`) }))
  expect([...readAll(buildLayer(members).image).keys()].sort()).toEqual(
    ['', ...members.map(({ entry }) => entry.path)].sort()
  )
})

test('blocks of a directory that are exactly full, or one byte more', () => {
  // '.' and '..' need 27 bytes; 15 entries of 254 and one of 259 bytes fill the rest of a block
  for (const last of [246, 247, 248]) {
    const names = [
      ...Array.from({ length: 15 }, (_, i) => String.fromCharCode(97 + i).repeat(242)),
      'z'.repeat(last)
    ]
    const members = names.map((name) => ({ entry: staged('fifo', name) }))
    expect([...readAll(buildLayer(members).image).keys()].sort()).toEqual(['', ...names].sort())
  }
})

test.each([4031, 4032, 4033, 4095])('a link whose target has %i bytes', (length) => {
  const members = [{ entry: staged('symlink', 'l', { link: 't'.repeat(length) }) }]
  expect(readAll(buildLayer(members).image).get('l')!.link).toHaveLength(length)
})
