import { describe, expect, test } from 'vitest'
import { layerViews } from './notation.ts'

/** The topmost layer as its directory must show it. */
function top(...layers: string[][]): string[] | undefined {
  return layerViews(layers).at(-1)
}

describe('what a layer holds', () => {
  test('all of the first layer', () => {
    expect(top(['d/', 'd/a', 'b -> d'])).toEqual(['/ ?', 'b -> d', 'd/ 1', 'd/a: 1'])
  })

  test('only what it touches of the others, with parents as lower layers describe them', () => {
    expect(top(['./', 'd/', 'd/a', 'e/f'], ['d/b'])).toEqual(['/ 1', 'd/ 1', 'd/b: 2'])
  })

  test('a directory that it describes anew, without its children', () => {
    expect(top(['d/a'], ['d/'])).toEqual(['/ ?', 'd/ 2'])
  })

  test('entries below a link where the link leads', () => {
    expect(top(['d/e/', 'l -> d/e'], ['l/a', '.wh.l'])).toEqual([
      '/ ?',
      'd/ ?',
      'd/e/ 1',
      'd/e/a: 2',
      '.wh.l'
    ])
  })

  test('nothing but its root where it has no entries', () => {
    expect(top(['a'], [])).toEqual(['/ ?'])
  })

  test('a kept link that it describes, as a copy', () => {
    const layers = [['d/', 'l -> d'], ['l/']]
    expect(layerViews(layers, { keepDirlinks: true }).at(-1)).toEqual([
      '/ ?',
      'l -> d (2) (from 1:l)'
    ])
  })
})

describe('a whiteout', () => {
  test('stands for each lower name that is gone', () => {
    expect(top(['d/', 'd/a', 'd/b', 'c'], ['.wh.c', 'd/.wh.a'])).toEqual([
      '/ ?',
      '.wh.c',
      'd/ 1',
      'd/.wh.a'
    ])
  })

  test('of nothing is nothing', () => {
    expect(top(['a'], ['.wh.b', 'c/.wh.d', 'd/x', 'd', '.wh.x'])).toEqual(['/ ?', 'd: 2'])
  })

  test('of a name that was gone before is nothing', () => {
    expect(top(['a', 'b'], ['.wh.a'], ['.wh.a'])).toEqual(['/ ?'])
  })

  test('is only where the topmost thing is gone', () => {
    expect(top(['d/e/f/a', 'g'], ['d/e/f/.wh.a', 'd/e/.wh.f', '.wh.d'])).toEqual(['/ ?', '.wh.d'])
  })

  test('is not needed where a file takes the name, whatever was there', () => {
    expect(top(['a', 'd/e/f'], ['.wh.a', 'a', '.wh.d', 'd'])).toEqual(['/ ?', 'a: 2', 'd: 2'])
  })

  test('is not needed for a name that the layer itself added and replaced', () => {
    expect(top([], ['d/a', 'd', '.wh.d'])).toEqual(['/ ?', 'd: 2'])
  })

  test('comes where what took the name has gone again with its directory', () => {
    expect(top(['d/a'], ['d/a/b', 'd', 'd/c'])).toEqual(['/ ?', 'd/ ?', 'd/.wh..wh..opq', 'd/c: 2'])
  })
})

describe('an opaque mark', () => {
  test('stands for many whiteouts where the layer has it', () => {
    expect(top(['d/', 'd/a', 'd/b/c'], ['d/.wh..wh..opq', 'd/b/x'])).toEqual([
      '/ ?',
      'd/ 1',
      'd/.wh..wh..opq',
      'd/b/ ?',
      'd/b/x: 2'
    ])
  })

  test('of a directory that was empty, or not there, is nothing', () => {
    expect(top(['d/'], ['d/.wh..wh..opq', 'e/.wh..wh..opq'])).toEqual(['/ ?'])
    expect(top(['d/'], ['d/.wh..wh..opq', 'd/x'])).toEqual(['/ ?', 'd/ 1', 'd/x: 2'])
  })

  test.each([
    ['removed and made again', ['.wh.d', 'd/', 'd/x']],
    ['made again and removed', ['d/', 'd/x', '.wh.d']],
    ['replaced by a file and back', ['d', 'd/', 'd/x']]
  ])('hides a lower directory that is %s', (_, layer) => {
    expect(top(['d/', 'd/a'], layer)).toEqual(['/ ?', 'd/ 2', 'd/.wh..wh..opq', 'd/x: 2'])
  })

  test('is not needed where a directory stands over a file, even over one that hides a directory', () => {
    expect(top(['d/a'], ['d'], ['d/b'])).toEqual(['/ ?', 'd/ ?', 'd/b: 3'])
  })

  test('is not repeated below another', () => {
    expect(top(['d/e/a', 'd/b'], ['d/.wh..wh..opq', 'd/e/.wh..wh..opq', 'd/e/x'])).toEqual([
      '/ ?',
      'd/ ?',
      'd/.wh..wh..opq',
      'd/e/ ?',
      'd/e/x: 2'
    ])
  })

  test('is not found by overlayfs at the top of a layer: there are whiteouts instead', () => {
    const layers = [
      ['a', 'd/b', 'd/c'],
      ['d/x', '.wh..wh..opq']
    ]
    expect(layerViews(layers).at(-1)).toEqual(['/ ?', '.wh.a', 'd/ ?', 'd/.wh..wh..opq', 'd/x: 2'])
    expect(layerViews(layers, { rootMayBeOpaque: true }).at(-1)).toEqual([
      '/ ?',
      '.wh..wh..opq',
      'd/ ?',
      'd/x: 2'
    ])
  })
})

describe('a file with several names', () => {
  test('is copied with all of them into the layer that adds one', () => {
    expect(top(['a', 'd/b == a'], ['c == a'])).toEqual([
      '/ ?',
      'a: 1 (from 1:a)',
      'c == a',
      'd/ ?',
      'd/b == a'
    ])
  })

  test('is copied with those that are left into the layer that removes one', () => {
    expect(top(['a', 'b == a', 'c == a'], ['.wh.a'])).toEqual([
      '/ ?',
      '.wh.a',
      'b: 1 (from 1:a)',
      'c == b'
    ])
  })

  test('is copied when a directory goes that one of them was in', () => {
    expect(top(['a', 'd/e/b == a'], ['d'])).toEqual(['/ ?', 'a: 1 (from 1:a)', 'd: 2'])
  })

  test('is copied from where it was copied to last', () => {
    const [, second, third] = layerViews([['a', 'b == a'], ['c == a'], ['.wh.b']])
    expect(second).toContain('a: 1 (from 1:a)')
    expect(third).toEqual(['/ ?', 'a: 1 (from 2:a)', '.wh.b', 'c == a'])
  })

  test('is not copied when all go, nor when it has one left that the layer replaces', () => {
    expect(top(['a', 'b == a'], ['.wh.a', 'b'])).toEqual(['/ ?', '.wh.a', 'b: 2'])
  })

  test('is left alone by layers that change none', () => {
    expect(top(['a', 'd/b == a'], ['d/c', 'd/.wh.x'])).toEqual(['/ ?', 'd/ ?', 'd/c: 2'])
  })

  test('that got its second name in a layer is copied from the name that this layer removes', () => {
    expect(top(['a'], ['b == a', '.wh.a'])).toEqual(['/ ?', '.wh.a', 'b: 1 (from 1:a)'])
  })
})
