import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Delta } from '../../src/mtree/compare.ts'
import {
  layerPaths,
  representable,
  whiteoutName,
  type NamesOf
} from '../../src/plan/layer-paths.ts'
import { failure } from '../support/failure.ts'

type Change = Pick<Delta, 'kind' | 'path'>

const there = (path: string): Change => ({ path, kind: 'modified' })
const gone = (path: string): Change => ({ path, kind: 'missing' })
const single: NamesOf = () => []

function lines(changes: readonly Change[], namesOf: NamesOf = single): string[] {
  return layerPaths(changes, namesOf).map(
    ([path, isThere]) => `${isThere ? 'object' : 'whiteout'} ${path}`
  )
}

describe('layerPaths', () => {
  test('writes what is there and whites out what is gone', () => {
    expect(lines([there('a'), gone('b')])).toEqual(['object a', 'whiteout b'])
  })

  test('sorts bytewise by the path that a whiteout is about, not by its name in the layer', () => {
    const changes = [gone('z'), there('a/b'), there('a-b'), there('\xff'), there('a'), there('.')]
    expect(lines(changes)).toEqual([
      'object .',
      'object a',
      'object a-b',
      'object a/b',
      'whiteout z',
      'object \xff'
    ])
  })

  test('takes all names of a file when one of them changed, each once', () => {
    const names = ['a', 'd/b', 'z']
    const namesOf: NamesOf = (path) => (names.includes(path) ? names : [])
    expect(lines([there('d/b'), there('m'), there('z')], namesOf)).toEqual([
      'object a',
      'object d/b',
      'object m',
      'object z'
    ])
  })

  test.each(['.wh.x', 'd/.wh.x', 'd/.wh..wh..opq', '.wh.d/x'])('refuses the name %s', (path) => {
    expect(failure(() => layerPaths([there(path)], single))).toMatchObject({
      code: 'ENTRY_INVALID',
      facts: { entry: path }
    })
    expect(failure(() => layerPaths([gone(path)], single))?.code).toBe('ENTRY_INVALID')
  })

  test('refuses a further name that readers would take for a whiteout', () => {
    const namesOf: NamesOf = () => ['a', '.wh.b']
    expect(failure(() => layerPaths([there('a')], namesOf))?.code).toBe('ENTRY_INVALID')
  })

  test('never lists a path twice, whatever changed', () => {
    const path = fc.constantFrom('a', 'b', 'a/b', 'c')
    const kind = fc.constantFrom('extra' as const, 'missing', 'modified')
    const change = fc.record({ path, kind })
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const paths = layerPaths(changes, () => ['a', 'c']).map(([path]) => path)
        expect(paths).toEqual([...new Set(paths)].sort())
      })
    )
  })
})

test.each(['wh.x', 'a.wh.', 'x.wh.y/z', ''])('%j may stand in a layer', (path) => {
  expect(representable(path)).toBe(path)
})

test.each([
  ['a', '.wh.a'],
  ['d/e/a', 'd/e/.wh.a']
])('%s is deleted by %s', (path, name) => {
  expect(whiteoutName(path)).toBe(name)
})
