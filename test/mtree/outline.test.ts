import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toBuffer } from '../../src/bytes.ts'
import { compareTreeManifestOrder, placeNodes, type MtreeNode } from '../../src/mtree/entry.ts'
import { TreeManifestOutline } from '../../src/mtree/outline.ts'
import { parseTreeManifest } from '../../src/mtree/parse.ts'
import { tree } from './arbitraries.ts'
import { dir, file, manifestText } from './builders.ts'

test('an outline has the entries that the whole manifest has', () => {
  fc.assert(fc.property(tree, (root) => expectSameEntries(root)))
})

test('an outline goes on behind lines that are continued', () => {
  const xattrs = [['user.a', '\xff'.repeat(60_000)]] as const
  expectSameEntries(
    dir(
      '.',
      file('a', { xattrs }),
      { ...dir('\\'.repeat(255), file('b')), xattrs },
      file('\\'.repeat(255))
    )
  )
})

test('the order of places is the order of lines', () => {
  fc.assert(
    fc.property(tree, fc.func(fc.integer()), (root, key) => {
      const places = Array.from(placeNodes(root), ({ path, node }) => {
        return { path, isDirectory: node.type === 'dir' }
      })
      const shuffled = places.toSorted((a, b) => key(a.path) - key(b.path))
      expect(shuffled.sort(compareTreeManifestOrder)).toEqual(places)
    })
  )
})

function expectSameEntries(root: MtreeNode): void {
  const text = manifestText(root)
  const outline = new TreeManifestOutline(toBuffer(text))
  const { entries } = parseTreeManifest(text)
  const indexes = Array.from({ length: outline.count }, (_, index) => index)
  expect(indexes.map((index) => outline.entry(index))).toEqual(entries)
  expect(indexes.map((index) => outline.path(index))).toEqual(entries.map(({ path }) => path))
  expect(indexes.map((index) => outline.isDirectory(index))).toEqual(
    entries.map(({ type }) => type === 'dir')
  )
}
