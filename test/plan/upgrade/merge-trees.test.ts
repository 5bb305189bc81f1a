import { describe, expect, test } from 'vitest'
import type { Resolution } from '../../../src/plan/upgrade/merge-plan.ts'
import { carriedOut, merge, tree, type SmallTree } from './small-trees.ts'

function run(
  [old, local, image]: readonly [string, string, string],
  resolution?: Resolution
): { result: string; conflicts: string[]; kept: string[] } {
  const triple = { old: tree(old), local: tree(local), image: tree(image) }
  const plan = merge(triple, () => resolution)
  return {
    result: textOf(carriedOut(triple, plan)),
    conflicts: plan.conflicts.map(
      ({ path, local, image, original }) =>
        `${path} ${local}/${image}${original === undefined ? '' : ` ${original}`}`
    ),
    kept: plan.kept.map(({ path, kind, isGone }) => `${isGone ? 'gone' : kind} ${path}`)
  }
}

function textOf(tree: SmallTree): string {
  return [...tree]
    .filter(([path, value]) => path !== '' || value !== '/')
    .map(([path, value]) => (value.startsWith('/') ? `${path}${value}` : `${path}:${value}`))
    .toSorted()
    .join(' ')
}

describe('without conflict', () => {
  test.each<[string, [old: string, local: string, image: string], string]>([
    ['nothing changed', ['a:1', 'a:1', 'a:1'], 'a:1'],
    ['the image changed a file', ['a:1', 'a:1', 'a:2'], 'a:2'],
    ['the image deleted a file', ['a:1', 'a:1', ''], ''],
    ['the image added a file', ['', '', 'a:1'], 'a:1'],
    ['the bundle changed a file', ['a:1', 'a:2', 'a:1'], 'a:2'],
    ['the bundle deleted a file', ['a:1', '', 'a:1'], ''],
    ['the bundle added a file', ['', 'a:1', ''], 'a:1'],
    ['both changed a file to the same', ['a:1', 'a:2@7', 'a:2'], 'a:2'],
    ['both added the same', ['', 'a:1@7', 'a:1'], 'a:1'],
    ['both deleted a file', ['a:1', '', ''], ''],
    ['the image has only another time', ['a:1', 'a:2', 'a:1@7'], 'a:2'],
    ['the bundle has only another time', ['a:1', 'a:1@7', 'a:1'], 'a:1@7'],
    ['the bundle has another time, the image another file', ['a:1', 'a:1@7', 'a:2'], 'a:2'],
    ['the bundle has another time of a file that is gone', ['a:1', 'a:1@7', ''], ''],
    ['each changed its own file', ['d/a:1 d/b:1', 'd/a:2 d/b:1', 'd/a:1 d/b:2'], 'd/ d/a:2 d/b:2'],
    ['the bundle changed a directory', ['d/:1', 'd/:2', 'd/:1 d/a:1'], 'd/2 d/a:1'],
    ['the image changed a directory', ['d/:1', 'd/:1 d/a:1', 'd/:2'], 'd/2 d/a:1'],
    ['the time of a directory', ['d/:1', 'd/:1@7', 'd/:1'], 'd/1'],
    ['the bundle changed the root', ['', '/:2', 'a:1'], '/2 a:1'],
    ['the bundle added a directory', ['', 'd/e/a:1 d/b:2', 'x:1'], 'd/ d/b:2 d/e/ d/e/a:1 x:1'],
    ['the bundle deleted a directory', ['d/e/a:1 x:1', 'x:1', 'd/e/a:1@7 x:2'], 'x:2'],
    ['a directory became a link', ['d/a:1', 'd:link', 'd/a:1'], 'd:link'],
    ['a link became a directory', ['d:link', 'd/a:1', 'd:link'], 'd/ d/a:1'],
    ['a directory became a link in the image', ['d/a:1', 'd/a:1@7', 'd:link'], 'd:link'],
    ['a link became a directory in the image', ['d:link', 'd:link', 'd/a:1'], 'd/ d/a:1'],
    ['both made a link of a directory', ['d/a:1', 'd:link', 'd:link'], 'd:link'],
    ['both made the same directory of a link', ['d:link', 'd/a:1', 'd/a:1'], 'd/ d/a:1'],
    ['both made a directory', ['', 'd/a:1', 'd/b:2'], 'd/ d/a:1 d/b:2'],
    ['the image dropped a directory', ['d/e/a:1', 'd/e/a:1', ''], ''],
    [
      'a directory that is gone has local files',
      ['d/e/a:1', 'd/e/a:1 d/e/b:2', ''],
      'd/ d/e/ d/e/b:2'
    ],
    ['deleted files of a directory that is gone', ['d/a:1 d/b:1', 'd/a:1', ''], '']
  ])('%s', (_, triple, expected) => {
    expect(run(triple)).toMatchObject({ result: expected, conflicts: [] })
  })

  test('says what is kept', () => {
    const { kept } = run([
      'a:1 b:1 gone/a:1 tree/x:1',
      'a:2 gone/a:1 gone/l:1 new/x:1 touched:1',
      'a:1 b:1 tree/x:1'
    ])
    expect(kept).toEqual([
      'modified a',
      'deleted b',
      'gone gone',
      'added gone/l',
      'added new',
      'added new/x',
      'added touched',
      'deleted tree'
    ])
  })
})

describe('conflicts', () => {
  test.each<
    [
      string,
      [old: string, local: string, image: string],
      string,
      Readonly<Record<Resolution, string>>
    ]
  >([
    [
      'both changed a file',
      ['a:1', 'a:2', 'a:3'],
      'a modified/modified',
      { keep: 'a:2', new: 'a:3', both: 'a.orig:3 a:2' }
    ],
    [
      'both added a file',
      ['', 'a:2', 'a:3'],
      'a added/added',
      { keep: 'a:2', new: 'a:3', both: 'a.orig:3 a:2' }
    ],
    [
      'the bundle deleted what the image changed',
      ['a:1', '', 'a:3'],
      'a deleted/modified',
      { keep: '', new: 'a:3', both: 'a.orig:3' }
    ],
    [
      'the image deleted what the bundle changed',
      ['a:1', 'a:2', ''],
      'a modified/deleted',
      { keep: 'a:2', new: '', both: 'a:2' }
    ],
    [
      'the same in a directory that is gone',
      ['d/a:1 d/b:1', 'd/a:2 d/b:1', ''],
      'd/a modified/deleted',
      { keep: 'd/ d/a:2', new: '', both: 'd/ d/a:2' }
    ],
    [
      'the bundle changed a directory that is gone',
      ['d/:1', 'd/:2', ''],
      'd modified/deleted',
      { keep: 'd/2', new: '', both: 'd/2' }
    ],
    [
      'both changed a directory',
      ['d/:1 d/a:1', 'd/:2 d/a:2', 'd/:3 d/a:1'],
      'd modified/modified',
      { keep: 'd/2 d/a:2', new: 'd/3 d/a:2', both: 'd/2 d/a:2' }
    ],
    [
      'both added a directory',
      ['', 'd/:2 d/a:1', 'd/:3'],
      'd added/added',
      { keep: 'd/2 d/a:1', new: 'd/3 d/a:1', both: 'd/2 d/a:1' }
    ],
    [
      'the bundle deleted a directory in which the image changed a file',
      ['d/a:1 d/b:1', '', 'd/a:1 d/b:3'],
      'd deleted/modified',
      { keep: '', new: 'd/ d/a:1 d/b:3', both: 'd.orig/ d.orig/a:1 d.orig/b:3' }
    ],
    [
      'the bundle deleted a directory to which the image added a file',
      ['d/a:1', '', 'd/a:1 d/b:3'],
      'd deleted/modified',
      { keep: '', new: 'd/ d/a:1 d/b:3', both: 'd.orig/ d.orig/a:1 d.orig/b:3' }
    ],
    [
      'the bundle deleted a directory from which the image deleted a file',
      ['d/a:1 d/b:1', '', 'd/a:1'],
      'd deleted/modified',
      { keep: '', new: 'd/ d/a:1', both: 'd.orig/ d.orig/a:1' }
    ],
    [
      'the bundle made a link of a directory in which the image changed a file',
      ['d/a:1', 'd:link', 'd/a:3'],
      'd modified/modified',
      { keep: 'd:link', new: 'd/ d/a:3', both: 'd.orig/ d.orig/a:3 d:link' }
    ],
    [
      'the image made a link of a directory in which the bundle changed a file',
      ['d/a:1 d/b:1', 'd/a:2 d/b:1', 'd:link'],
      'd modified/modified',
      { keep: 'd/ d/a:2 d/b:1', new: 'd:link', both: 'd.orig:link d/ d/a:2 d/b:1' }
    ],
    [
      'the image made a link of a directory to which the bundle added a file',
      ['d/a:1', 'd/a:1 d/b:2', 'd:link'],
      'd modified/modified',
      { keep: 'd/ d/a:1 d/b:2', new: 'd:link', both: 'd.orig:link d/ d/a:1 d/b:2' }
    ],
    [
      'the image made a link of a directory that the bundle changed itself',
      ['d/:1', 'd/:2', 'd:link'],
      'd modified/modified',
      { keep: 'd/2', new: 'd:link', both: 'd.orig:link d/2' }
    ],
    [
      'the bundle made a directory of a file that the image changed',
      ['d:1', 'd/a:1', 'd:2'],
      'd modified/modified',
      { keep: 'd/ d/a:1', new: 'd:2', both: 'd.orig:2 d/ d/a:1' }
    ],
    [
      'the image made a directory of a file that the bundle changed',
      ['d:1', 'd:2', 'd/a:1'],
      'd modified/modified',
      { keep: 'd:2', new: 'd/ d/a:1', both: 'd.orig/ d.orig/a:1 d:2' }
    ],
    [
      'the image made a directory of a file that the bundle deleted',
      ['d:1', '', 'd/a:1'],
      'd deleted/modified',
      { keep: '', new: 'd/ d/a:1', both: 'd.orig/ d.orig/a:1' }
    ],
    [
      'the image deleted a file of which the bundle made a directory',
      ['d:1', 'd/a:1', ''],
      'd modified/deleted',
      { keep: 'd/ d/a:1', new: '', both: 'd/ d/a:1' }
    ],
    [
      'a link and a directory were added',
      ['', 'd:link', 'd/a:1'],
      'd added/added',
      { keep: 'd:link', new: 'd/ d/a:1', both: 'd.orig/ d.orig/a:1 d:link' }
    ]
  ])('%s', (_, triple, conflict, results) => {
    const unsettled = run(triple)
    expect(unsettled.conflicts).toEqual([conflict])
    for (const [resolution, expected] of Object.entries(results) as [Resolution, string][]) {
      const { result, conflicts } = run(triple, resolution)
      expect(conflicts).toHaveLength(1)
      expect([resolution, result]).toEqual([resolution, expected])
    }
  })

  test('puts the object of the image where nothing is', () => {
    const triple = ['a:1', 'a:2 a.orig:local', 'a:3 a.orig.1:image'] as const
    expect(run(triple, 'both').result).toBe('a.orig.1:image a.orig.2:3 a.orig:local a:2')
  })

  test('uses no name twice, and none that is too long', () => {
    const [one, two] = [`${'x'.repeat(254)}1`, `${'x'.repeat(254)}2`]
    const of = (value: string): string => `${one}:${value} ${two}:${value}`
    const { result } = run([of('1'), of('2'), of('3')], 'both')
    expect(result.split(' ')).toEqual(
      [`${one}:2`, `${two}:2`, `${'x'.repeat(250)}.orig:3`, `${'x'.repeat(248)}.orig.1:3`].sort()
    )
  })

  test('asks for each path', () => {
    const triple = { old: tree('a:1 b:1'), local: tree('a:2 b:2'), image: tree('a:3 b:3') }
    const plan = merge(triple, (path) => (path === 'a' ? 'keep' : undefined))
    expect(plan.conflicts.map(({ path, resolution }) => [path, resolution])).toEqual([
      ['a', 'keep'],
      ['b', undefined]
    ])
  })
})
