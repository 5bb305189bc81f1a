import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { TreeMatch } from '../../src/plan/tree-match.ts'
import type { MtreeEntry } from '../../src/mtree/entry.ts'
import { listEntries } from '../../src/mtree/entry-list.ts'
import type { ScannedTree } from '../../src/rootfs/scanned-tree.ts'
import { toMtreeEntry } from '../../src/rootfs/mtree-entry.ts'
import { withScratch } from '../support/open-directory.ts'
import { scan } from '../support/scan.ts'

const name = fc.constantFrom('a', 'b', 'a-', '\xff')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
const edit = fc.record({ path, kind: fc.constantFrom('file', 'directory', 'nothing') })
const tree = fc.array(edit, { maxLength: 12 })

test('entries belong to objects by their paths, in whatever order they are listed', () => {
  fc.assert(
    fc.property(tree, tree, fc.boolean(), fc.func(fc.integer()), (before, edits, sorted, key) =>
      withScratch((fd, root) => {
        for (const { path, kind } of before) apply(root, path, kind)
        const entries = [...scan(fd).inTreeManifestOrder()].map((it) => toMtreeEntry(it, []))
        if (!sorted) entries.sort((a, b) => key(a.path) - key(b.path))
        for (const { path, kind } of edits) apply(root, path, kind)
        expectJoined(scan(fd), entries)
      })
    ),
    { numRuns: 60 }
  )
})

test('of two entries for one path the later one counts', () => {
  withScratch((fd, root) => {
    writeFileSync(`${root}/a`, '')
    const now = scan(fd)
    const [dot, a] = [now.root, now.find('a')!].map((it) => toMtreeEntry(it, []))
    expectJoined(now, [dot!, a!, a!])
  })
})

function expectJoined(now: ScannedTree, entries: readonly MtreeEntry[]): void {
  const match = new TreeMatch(now, listEntries(entries))
  const objects = [...now.inTreeManifestOrder()]
  for (const object of objects) match.advance(object)
  const paths = new Set(objects.map(({ path }) => path))
  expect(match.finish().map(({ index }) => entries[index])).toEqual(
    entries.filter((entry) => !paths.has(entry.path))
  )
  const indexes = new Map(entries.map((entry, index) => [entry.path, index]))
  for (const object of objects)
    expect(match.indexOf(object), object.path).toBe(indexes.get(object.path))
}

function apply(root: string, path: string, kind: string): void {
  const at = Buffer.from(`${root}/${path}`, 'latin1')
  const parent = Buffer.from(`${root}/${path}`.replace(/\/[^/]*$/, ''), 'latin1')
  try {
    rmSync(at, { recursive: true, force: true })
    if (kind === 'nothing') return
    mkdirSync(parent, { recursive: true })
    if (kind === 'file') writeFileSync(at, '')
    else mkdirSync(at)
  } catch (error) {
    // A file stands where a directory would have to be.
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}
