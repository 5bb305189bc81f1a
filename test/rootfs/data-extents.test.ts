import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataExtents } from '../../src/rootfs/data-extents.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
beforeEach(() => (work = makeTemporary()))
afterEach(() => removeTemporary(work))

const K = 1024

test.each<[name: string, size: number, data: [at: number, length: number][], extents: unknown]>([
  ['an empty file', 0, [], []],
  ['a file without holes', 200 * K, [[0, 200 * K]], undefined],
  ['a hole alone', 200 * K, [], [200 * K, 0]],
  ['a hole at the end', 200 * K, [[0, 10]], [0, 64 * K, 200 * K, 0]],
  ['a hole at the beginning', 200 * K, [[199 * K, K]], [192 * K, 8 * K]],
  ['data in the middle', 400 * K, [[130 * K, 1]], [128 * K, 64 * K, 400 * K, 0]],
  [
    'data in two places',
    512 * K,
    [
      [0, 1],
      [511 * K, K]
    ],
    [0, 64 * K, 448 * K, 64 * K]
  ],
  [
    'holes that are less than a block',
    200 * K,
    [
      [0, 16 * K],
      [48 * K, 32 * K],
      [120 * K, 80 * K]
    ],
    undefined
  ]
])('%s', (_name, size, data, extents) => {
  const fd = openSync(`${work}/file`, 'w+')
  try {
    for (const [at, length] of data) writeSync(fd, Buffer.alloc(length, 'x'), 0, length, at)
    ftruncateSync(fd, size)
    expect(dataExtents(fd, size)).toEqual(extents)
  } finally {
    closeSync(fd)
  }
})
