import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { regroupedLinks } from '../../src/plan/link-groups.ts'

/** `a:1>2`: the name, its file before and its file now. */
function regrouped(...names: string[]): string[] {
  return regroupedLinks(
    names.map((text) => {
      const [path, before, after] = text.split(/[:>]/) as [string, string, string]
      return { path, before, after }
    })
  )
}

describe('regroupedLinks', () => {
  test('finds names that swapped partners, though each file still has two names', () => {
    expect(regrouped('a:1>1', 'b:1>2', 'c:2>1', 'd:2>2')).toEqual(['a', 'b', 'c', 'd'])
  })

  test('finds nothing where whole groups moved to other inodes, as a copy does', () => {
    expect(regrouped('a:1>7', 'b:1>7', 'c:2>8', 'd:2>8')).toEqual([])
  })

  test('finds both groups where one was split and joined with a third', () => {
    expect(regrouped('a:1>1', 'b:1>1', 'c:1>2', 'd:2>2', 'x:5>5', 'y:5>5')).toEqual([
      'a',
      'b',
      'c',
      'd'
    ])
  })

  test('tells groups apart whose names joined would be the same text', () => {
    expect(regrouped('a b:1>1', 'c:1>2', 'a:2>2', 'b c:2>1')).toHaveLength(4)
  })

  test('is empty exactly when the partition is the same', () => {
    const key = fc.constantFrom('1', '2', '3')
    fc.assert(
      fc.property(fc.array(fc.tuple(key, key), { maxLength: 7 }), (keys) => {
        const names = keys.map(([before, after], index) => ({ path: `${index}`, before, after }))
        const same = names.every((a) =>
          names.every((b) => (a.before === b.before) === (a.after === b.after))
        )
        expect(regroupedLinks(names).length === 0).toBe(same)
      })
    )
  })
})
