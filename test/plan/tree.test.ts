import { describe, expect, test } from 'vitest'
import { findDirectory, resolve, STAGED_NODES, type Directory } from '../../src/plan/tree.ts'
import { failure } from '../support/failure.ts'
import { merge } from './notation.ts'

describe('paths that links make longer than any name in the archive', () => {
  const LONG = 'n'.repeat(250)

  test('end at what the kernel takes', () => {
    const root = STAGED_NODES.directory(undefined, '')
    const deepest = chain(root, LONG, 16)
    expect(deepest.pathBytes).toBe(16 * 251 - 1)
    expect(STAGED_NODES.directory(deepest, 'x'.repeat(79)).pathBytes).toBe(4095)
    const error = failure(() => STAGED_NODES.directory(deepest, 'x'.repeat(80)))
    expect(error).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      facts: { reason: 'links lead to a path of 4096 bytes' }
    })
  })

  test('are refused in the middle of a layer', () => {
    const half = Array<string>(10).fill(LONG).join('/')
    expect(merge([[`${half}/`, `l -> /${half}`, `l/${half}/x`]])).toEqual([
      'LIMIT_EXCEEDED: links lead to a path of 4266 bytes'
    ])
  })
})

describe('resolving', () => {
  test('gives the deepest directory there is and what is missing below', () => {
    const root = STAGED_NODES.directory(undefined, '')
    const a = chain(root, 'a', 1)
    expect(resolve(root, 'a/b/c')).toEqual({ directory: a, missing: ['b', 'c'], links: 0 })
    expect(resolve(root, 'a/b/../../..')).toEqual({ directory: root, missing: [], links: 0 })
    expect(findDirectory(root, 'a/b')).toBeUndefined()
    expect(findDirectory(root, '')).toBe(root)
  })

  test('of the path that a link was staged at, which leads round in a circle by its own doing, is no failure', () => {
    const layers = [['d -> .', 'a/1'], ['d/d -> d/a']]
    expect(merge(layers)).toEqual(['/ ?', 'a/ ?', 'a/1: 1', 'd -> d/a'])
  })

  test('follows 255 links and no more', () => {
    const links = Array.from({ length: 255 }, (_, i) => `l${i} -> l${i + 1}`)
    expect(merge([['l255/', ...links, 'l0/x']])).toContain('l255/x: 1')
    expect(merge([['l255/', ...links, 'm -> l0', 'm/x']])).toEqual([
      'ENTRY_INVALID: more than 255 links'
    ])
  })
})

function chain(root: Directory, name: string, depth: number): Directory {
  let directory = root
  for (let level = 0; level < depth; level++) {
    const next = STAGED_NODES.directory(directory, name)
    directory.children.set(name, next)
    directory = next
  }
  return directory
}
