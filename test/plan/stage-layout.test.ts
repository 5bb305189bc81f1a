import { expect, test } from 'vitest'
import { StageLayout } from '../../src/plan/stage-layout.ts'
import { STAGED_IN_TREE, STAGED_NOWHERE } from '../../src/plan/staged-entry.ts'
import { TreeOfNames } from './tree-of-names.ts'

const TREE = STAGED_IN_TREE
const NOWHERE = STAGED_NOWHERE

/** A name with a slash at its end is a directory. */
const CASES: readonly [name: string, entries: string[], staged: number[], made: string[]][] = [
  ['a file at the top needs no directory', ['a'], [TREE], []],
  ['the root is there already', ['/', 'a'], [TREE, TREE], []],
  ['missing parents are made, top down', ['a/b/c'], [TREE], ['a', 'a/b']],
  ['a parent is made once', ['a/b', 'a/c', 'a/'], [TREE, TREE, TREE], ['a']],
  ['a second file of one name is spilled', ['a', 'a', 'a'], [TREE, 1, 2], []],
  ['a file where a directory is, is spilled', ['a/', 'a'], [TREE, 1], ['a']],
  ['a directory where a file is, is nowhere', ['a', 'a/'], [TREE, NOWHERE], []],
  ['what lies below a file is spilled', ['a', 'a/b/c', 'a/b/'], [TREE, 1, NOWHERE], []],
  ['the tree goes on beside what was spilled', ['a', 'a/x', 'b/y'], [TREE, 1, TREE], ['b']],
  ['no directory is made for what is spilled', ['a/f', 'a/f/x/y'], [TREE, 1], ['a']]
]

test.each(CASES)('%s', (_name, entries, staged, made) => {
  const tree = new TreeOfNames()
  const layout = new StageLayout(tree)
  const places = entries.map((entry) =>
    entry.endsWith('/')
      ? layout.placeDirectory(entry.slice(0, -1))
      : layout.placeLeaf(entry, () => tree.make(entry))
  )
  expect(places).toEqual(staged)
  expect(tree.directories).toEqual(made)
})
