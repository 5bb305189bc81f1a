/** Changes are what a plain comparison of all objects finds, whatever is trusted without a look. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareEntries, type Delta } from '../../src/mtree/compare.ts'
import { UMOCI_KEYWORDS } from '../../src/mtree/entry.ts'
import type { TreeMemory } from '../../src/plan/seen-tree.ts'
import { TreeChanges } from '../../src/plan/tree-changes.ts'
import {
  digest,
  entryOf,
  equal,
  known,
  remember,
  Seen,
  treeOf,
  twoTrees,
  type Known,
  type SeenKnown,
  type Tree
} from './known-trees.ts'

test('changes are those of a plain comparison, whatever is surely as it was', () => {
  fc.assert(
    fc.property(
      twoTrees,
      fc.boolean(),
      fc.boolean(),
      fc.nat(),
      ([before, after], copied, plain, trust) => {
        const trusted = (index: number): boolean => !copied && ((trust >> (index % 24)) & 1) === 1
        const memory = remember(before, { trusted, copied, plain })
        expect(summary(search(after, memory))).toEqual(summary(naive(before, after, copied, plain)))
      }
    ),
    { numRuns: 1000 }
  )
})

test('what is remembered of a tree is known of all but what changed', () => {
  fc.assert(
    fc.property(twoTrees, ([before, after]) => {
      const seen = new Seen(after)
      const memory = remember(before, { trusted: () => true, copied: false, plain: false })
      const remembered = new TreeChanges(seen, memory).remembered()
      for (const object of seen.inTreeManifestOrder()) {
        const same = equal(before.get(object.path), object.known)
        const index = remembered(object)
        expect(index === undefined ? undefined : memory.entries.path(index)).toBe(
          same ? object.path : undefined
        )
      }
    })
  )
})

describe('one object', () => {
  test.each<[string, Partial<Known>, Partial<Known>, string[]]>([
    ['a file with other content', {}, { content: 'b', inode: 2 }, ['sha256digest']],
    ['a file of another size', {}, { size: 9 }, ['size']],
    ['a mode', {}, { mode: 0o600 }, ['mode']],
    ['a fraction of a second', {}, { mtimeNsec: 6 }, ['time']],
    ['a device number', { type: 'char' }, { type: 'char', extra: 1 }, ['device or xattr']],
    ['an attribute', {}, { xattr: 'b' }, ['xattr.user.a']],
    ['the size of a directory', { type: 'directory' }, { type: 'directory', size: 9 }, []],
    ['names in a directory', { type: 'directory' }, { type: 'directory', nlink: 9 }, []]
  ])('changed in %s', (_, before, after, keywords) => {
    expect(keywordsOf(before, after, false)).toEqual(keywords)
  })

  test.each([
    [123_456_789, 123_456_700, []],
    [123_456_789, 123_456_000, []],
    [123_456_789, 123_000_000, []],
    [123_456_789, 0, []],
    [123_456_789, 123_400_000, ['time']],
    [123_456_789, 999_999_999, ['time']]
  ])('of a copy with %i ns lost digits to %i, or changed', (was, is, keywords) => {
    expect(keywordsOf({ mtimeNsec: was }, { mtimeNsec: is }, true)).toEqual(keywords)
    expect(keywordsOf({ mtimeNsec: was }, { mtimeNsec: is }, false)).toEqual(['time'])
  })

  test('is not read before it is compared: of a new one nothing is asked', () => {
    const changes = new TreeChanges(
      new Seen(treeOf([known({ path: 'new' })])),
      remember(treeOf([]), { trusted: () => true, copied: false, plain: false })
    )
    const asked: string[] = []
    for (const object of changes.suspects)
      changes.compare(object, () => {
        asked.push(object.path)
        return object.entry
      })
    expect(asked).toEqual([])
    expect(changes.deltas()).toMatchObject([
      { kind: 'extra', path: 'new', after: { type: 'file' } }
    ])
  })
})

test('what was not looked at is not missing', () => {
  const before = treeOf([known({ path: 'a' }), known({ path: 'b', inode: 2 })])
  const memory = remember(before, { trusted: () => true, copied: false, plain: false })
  const changes = new TreeChanges(new Seen(treeOf([])), memory)
  expect(changes.deltas((path) => path === 'b').map(({ path }) => path)).toEqual(['b'])
  expect(changes.deltas().map(({ path }) => path)).toEqual(['a', 'b'])
})

test('names that swapped their files are found, though every file is as it was', () => {
  const names = ['a', 'b', 'c', 'd']
  const tree = (...inodes: number[]): Tree =>
    treeOf(names.map((path, at) => known({ path, inode: inodes[at]!, nlink: 2 })))
  const changed = (before: Tree, after: Tree): string[] =>
    search(after, remember(before, { trusted: () => false, copied: false, plain: false })).map(
      ({ path }) => path
    )
  expect(changed(tree(2, 3, 2, 3), tree(2, 2, 3, 3))).toEqual(names)
  expect(changed(tree(2, 2, 3, 3), tree(8, 8, 9, 9))).toEqual([])
})

/** The search as the engine does it. */
function search(after: Tree, memory: TreeMemory<SeenKnown>): Delta[] {
  const changes = new TreeChanges(new Seen(after), memory)
  for (const object of changes.suspects) changes.compare(object, () => object.entry)
  changes.settle(
    changes.undecided.map(({ path }) => digest(after.get(path)!)),
    new Map()
  )
  return changes.deltas()
}

/** All objects, one after the other, by everything that is known of them. */
function naive(before: Tree, after: Tree, copied: boolean, plain: boolean): Delta[] {
  const deltas: Delta[] = []
  for (const path of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [before.get(path), after.get(path)]
    const [old, now] = [was && entryOf(was), is && entryOf(is)]
    if (was === undefined) deltas.push({ kind: 'extra', path, after: now! })
    else if (is === undefined) deltas.push({ kind: 'missing', path, before: old! })
    else if (isOther(was, is, copied, plain) || (!plain && isRegrouped(before, after, path)))
      deltas.push({ kind: 'modified', path, before: old!, after: now!, changes: [] })
  }
  return deltas
}

function isOther(was: Known, is: Known, copied: boolean, plain: boolean): boolean {
  const bothDirectories = was.type === 'directory' && is.type === 'directory'
  const keywords = UMOCI_KEYWORDS.filter(
    (each) => !bothDirectories || (each !== 'size' && each !== 'nlink')
  )
  if (compareEntries(entryOf(was), entryOf(is), keywords) !== undefined) return true
  if (plain) return false
  const isCut = [1e9, 1e6, 1e3, 1e2].some(
    (unit) => is.mtimeNsec === was.mtimeNsec - (was.mtimeNsec % unit)
  )
  if (was.mtimeNsec !== is.mtimeNsec && !(copied && isCut)) return true
  return !bothDirectories && was.size + was.extra !== is.size + is.extra
}

function isRegrouped(before: Tree, after: Tree, path: string): boolean {
  const names = [...after.values()].filter(
    ({ type, nlink, path: name }) => type !== 'directory' && nlink > 1 && before.has(name)
  )
  const together = (tree: Tree): string =>
    names
      .map(({ path: name }) => name)
      .filter((name) => tree.get(name)!.inode === tree.get(path)!.inode)
      .join()
  return names.some(({ path: name }) => name === path) && together(before) !== together(after)
}

/** Keywords are not compared: the plain comparison has other names for what no keyword holds. */
function summary(deltas: readonly Delta[]): unknown[] {
  return deltas.map((delta) => [
    delta.kind,
    delta.path,
    delta.kind === 'extra' ? undefined : delta.before.type,
    delta.kind === 'missing' ? undefined : delta.after.type
  ])
}

function keywordsOf(before: Partial<Known>, after: Partial<Known>, copied: boolean): string[] {
  const memory = remember(treeOf([known(before)]), { trusted: () => false, copied, plain: false })
  return search(treeOf([known(after)]), memory).flatMap((delta) =>
    delta.kind === 'modified' ? delta.changes.map(({ keyword }) => keyword) : [delta.kind]
  )
}
