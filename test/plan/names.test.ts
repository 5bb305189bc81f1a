import * as fc from 'fast-check'
import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { baseName, cleanPath, joinPath, parentPath, readName } from '../../src/plan/names.ts'
import { failure } from '../support/failure.ts'

const component = fc.oneof(
  fc.constantFrom('', '.', '..', '...', '.wh.', '.wh.x', '.wh..wh..opq', 'a', '\xff'),
  fc.string({ maxLength: 6, unit: fc.constantFrom('a', '.', ' ', '\xff', '\n') })
)
const path = fc.array(component, { maxLength: 8 }).map((parts) => parts.join('/'))

describe('cleaning a name', () => {
  test.each([
    ['', ''],
    ['/', ''],
    ['.', ''],
    ['./', ''],
    ['..', ''],
    ['a', 'a'],
    ['a/', 'a'],
    ['/a/b', 'a/b'],
    ['./a//b/.', 'a/b'],
    ['../../a', 'a'],
    ['a/../../b', 'b'],
    ['a/b/..', 'a'],
    ['.../..a/b..', '.../..a/b..'],
    ['\xff/ ', '\xff/ ']
  ])('makes of "%s" "%s"', (name, expected) => {
    expect(cleanPath(name)).toBe(expected)
  })

  test('is what POSIX normalisation below a root gives', () => {
    fc.assert(
      fc.property(path, (name) => {
        expect(cleanPath(name)).toBe(posix.resolve('/', name).slice(1))
      })
    )
  })

  test('leaves a clean path alone', () => {
    fc.assert(
      fc.property(path, (name) => {
        const clean = cleanPath(name)
        expect(cleanPath(clean)).toBe(clean)
      })
    )
  })
})

describe('reading a name', () => {
  test.each([
    ['a/b', { kind: 'entry', path: 'a/b' }],
    ['', { kind: 'entry', path: '' }],
    ['.wh.a', { kind: 'whiteout', path: 'a' }],
    ['d/.wh.a/', { kind: 'whiteout', path: 'd/a' }],
    ['d/.wh.. .', { kind: 'whiteout', path: 'd/. .' }],
    ['.wh..wh.', { kind: 'whiteout', path: '.wh.' }],
    ['.wh..wh..opq', { kind: 'opaque', path: '' }],
    ['a/b/.wh..wh..opq', { kind: 'opaque', path: 'a/b' }],
    ['.wh..wh..opqX', { kind: 'whiteout', path: '.wh..opqX' }],
    ['.wh.d/a', { kind: 'entry', path: '.wh.d/a' }],
    ['a.wh.b', { kind: 'entry', path: 'a.wh.b' }],
    ['.WH.a', { kind: 'entry', path: '.WH.a' }]
  ])('takes "%s" for what it is', (name, target) => {
    expect(readName(name)).toEqual(target)
  })

  test.each(['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh../', '/.wh...'])(
    'refuses "%s", which would remove its directory or what is above',
    (name) => {
      expect(failure(() => readName(name))?.code).toBe('ENTRY_INVALID')
    }
  )

  test('never gives a path that is not clean or names the root as a victim', () => {
    fc.assert(
      fc.property(path, (name) => {
        const error = failure(() => {
          const target = readName(name)
          expect(cleanPath(target.path)).toBe(target.path)
          if (target.kind === 'whiteout') expect(target.path).not.toBe('')
        })
        expect([undefined, 'ENTRY_INVALID']).toContain(error?.code)
      })
    )
  })
})

describe('limits', () => {
  test.each([
    ['n'.repeat(255), undefined],
    ['n'.repeat(256), 'a component has 256 bytes'],
    [`${'d/'.repeat(500)}${'n'.repeat(256)}`, 'a component has 256 bytes'],
    ['a/'.repeat(2048), undefined],
    [`${'a/'.repeat(2048)}a`, 'the path has 4097 bytes'],
    [`${'a/'.repeat(100_000)}file`, 'the path has 200004 bytes'],
    [`${'a/../'.repeat(10_000)}file`, undefined]
  ])('hold for what remains after cleaning (%#)', (name, reason) => {
    const error = failure(() => readName(name))
    expect(error?.code).toBe(reason === undefined ? undefined : 'LIMIT_EXCEEDED')
    expect(error?.facts.reason).toBe(reason)
  })

  test('on paths may be lower, and the message does not repeat a name of any length', () => {
    expect(failure(() => readName('abc', 3))).toBeUndefined()
    const error = failure(() => readName('x/'.repeat(1000), 100))
    expect(error?.facts).toMatchObject({ expected: 'at most 100 bytes' })
    expect(String(error?.facts.entry).length).toBeLessThan(200)
  })
})

test('a path is its parent and its last name', () => {
  fc.assert(
    fc.property(path.map(cleanPath), (clean) => {
      expect(joinPath(parentPath(clean), baseName(clean))).toBe(clean)
      expect(baseName(clean)).not.toContain('/')
    })
  )
})
