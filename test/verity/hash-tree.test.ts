import { expect, test } from 'vitest'
import { treeLayout } from '../../src/verity/hash-tree.ts'

test.each([
  [1, [], 1],
  [2, [[1, 1]], 2],
  [128, [[1, 1]], 2],
  [
    129,
    [
      [2, 2],
      [1, 1]
    ],
    4
  ],
  [
    128 ** 2 + 1,
    [
      [4, 129],
      [2, 2],
      [1, 1]
    ],
    133
  ]
])('%i blocks of data have levels up to one block', (data, levels, blocks) => {
  const expected = levels.map(([start, length]) => ({ start, blocks: length }))
  expect(treeLayout(data)).toEqual({ levels: expected, blocks })
})
