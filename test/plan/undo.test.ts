import { describe, expect, test } from 'vitest'
import type { Operation } from '../../src/plan/operations.ts'
import { planUndo } from '../../src/plan/undo.ts'
import { IMPLICIT } from '../reference/staged-layer.ts'

const move = (from: string, to: string): Operation => ({ op: 'move', from, to })
const metadataOfOld = (path: string): Operation => ({
  op: 'write-directory-metadata',
  path,
  entry: IMPLICIT,
  isNew: false
})
const metadataOfLink = (path: string): Operation => ({
  op: 'rewrite-link-metadata',
  path,
  entry: IMPLICIT
})

/** What is remembered, `+` where all metadata is. */
function remembered(...operations: Operation[]): string[] {
  const paths = [...planUndo(operations, '.w').remembered]
  return paths.map(([path, all]) => `${path === '' ? '/' : path}${all ? '+' : ''}`)
}

test('each operation has its step', () => {
  const operations: Operation[] = [
    { op: 'make', path: '.w/t/0' },
    move('.w/t/0', 'd'),
    { op: 'link', from: 'a', to: 'd/b' },
    { op: 'write-directory-metadata', path: 'd', entry: undefined, isNew: true },
    { op: 'restore-times', path: '', entry: IMPLICIT }
  ]
  expect(planUndo(operations, '.w').steps).toEqual([
    { undo: 'remove-directory', path: '.w/t/0' },
    { undo: 'move', from: 'd', to: '.w/t/0' },
    { undo: 'unlink', path: 'd/b', of: 'a' },
    { undo: 'make-private', path: 'd' },
    { undo: 'nothing' }
  ])
})

describe('what is remembered', () => {
  test('the times of directories that gain or lose a name, and of none in the workspace', () => {
    expect(remembered(move('a/x', '.w/t/0'), move('.w/n', 'b/c/y'))).toEqual(['a', 'b/c'])
  })

  test('all of what is described anew', () => {
    expect(remembered(move('.w/n', 'd/x'), metadataOfOld('d'), metadataOfLink('l'))).toEqual([
      'd+',
      'l+'
    ])
  })

  test('nothing of what is new, wherever it has come to', () => {
    expect(remembered(move('.w/n', 'd'), move('.w/m', 'd/e/f'), metadataOfLink('d/l'))).toEqual([
      '/'
    ])
  })

  test('a directory that was moved away, by the place where it was', () => {
    expect(remembered(move('d', '.w/t/0'), move('.w/t/0/e/x', 'y'))).toEqual(['/', 'd/e'])
  })

  test('a link by the name that it had', () => {
    const further: Operation = { op: 'link', from: 'a', to: 'b' }
    expect(remembered(move('old', 'a'), further, metadataOfLink('b'))).toEqual(['/', 'old+'])
  })

  test('nothing of a new directory in the place of one that has gone', () => {
    expect(remembered(move('d', '.w/t/0'), move('.w/n', 'd'), move('.w/m', 'd/x'))).toEqual(['/'])
  })
})
