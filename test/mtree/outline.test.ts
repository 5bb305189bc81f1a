import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes, toBuffer } from '../../src/bytes.ts'
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

test('an outline compares names as bytes, and knows where the entries of a directory are', () => {
  fc.assert(
    fc.property(tree, (root) => {
      const outline = new TreeManifestOutline(toBuffer(manifestText(root)))
      const places = [...placeNodes(root)]
      const names = places.map(({ node }) => node.name)
      for (const [index, { path, node }] of places.entries()) {
        for (const other of [...names, `${node.name}x`, node.name.slice(0, -1)]) {
          const bytes = toBuffer(`-${other}-`)
          const order = outline.compareName(index, bytes, 1, bytes.length - 1)
          expect(Math.sign(order)).toBe(Math.sign(compareBytes(node.name, other)))
        }
        const leaves = node.children?.filter(({ type }) => type !== 'dir').length ?? 0
        const end = index + 1 + leaves
        expect(outline.listing(path)).toEqual(node.type === 'dir' ? { index, end } : undefined)
      }
    })
  )
})

test('an outline does not take what ends a name for a byte of it', () => {
  const outline = new TreeManifestOutline(toBuffer(manifestText(dir('.', file('a'), dir('b')))))
  for (const [index, name, other] of [
    [1, 'a', 'a '],
    [1, 'a', 'a type=file'],
    [2, 'b', 'b\n'],
    [2, 'b', 'b ']
  ] as const) {
    const bytes = toBuffer(other)
    expect(outline.compareName(index, bytes, 0, bytes.length), `${name} to ${other}`).toBeLessThan(
      0
    )
    expect(outline.compareName(index, bytes, 0, 1), name).toBe(0)
  }
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
