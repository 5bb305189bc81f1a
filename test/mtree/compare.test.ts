import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareTreeManifests, type Delta } from '../../src/mtree/compare.ts'
import { parseTreeManifest } from '../../src/mtree/parse.ts'
import { tree } from './arbitraries.ts'
import { dir, entries, file, link } from './builders.ts'

function summary(deltas: readonly Delta[]): string[] {
  return deltas.map((delta) => {
    const changes = delta.kind === 'modified' ? delta.changes.map(({ keyword }) => keyword) : []
    return [delta.kind, delta.path, ...changes].join(' ')
  })
}

describe('compareTreeManifests', () => {
  test('finds what is new, gone and changed, sorted by path', () => {
    const before = dir(
      '.',
      file('same'),
      file('gone'),
      file('b', { mode: 0o600 }),
      dir('d', file('x'))
    )
    const after = dir('.', file('same'), file('b', { uid: 1 }), dir('d'), link('a', 'b'))
    expect(summary(compareTreeManifests(entries(before), entries(after)))).toEqual([
      'extra a',
      'modified b uid mode',
      'missing d/x',
      'missing gone'
    ])
  })

  test('shows both values as a manifest would', () => {
    const before = dir('.', file('f', { mode: 0, mtimeSec: 1, xattrs: [['user.a', 'x']] }))
    const after = dir('.', file('f', { mode: 0o755, mtimeSec: 2, xattrs: [['user.b', '\xff']] }))
    expect(compareTreeManifests(entries(before), entries(after))).toMatchObject([
      {
        changes: [
          { keyword: 'mode', before: '0', after: '0755' },
          { keyword: 'tar_time', before: '1.000000000', after: '2.000000000' },
          { keyword: 'xattr.user.a', before: 'eA==', after: undefined },
          { keyword: 'xattr.user.b', before: undefined, after: '/w==' }
        ]
      }
    ])
  })

  test('lists a type change with the keywords that only one side has', () => {
    const deltas = compareTreeManifests(
      entries(dir('.', file('f'))),
      entries(dir('.', link('f', '')))
    )
    expect(summary(deltas)).toEqual(['modified f type mode link sha256digest'])
  })

  test('does not mind the order of xattrs', () => {
    const before = file('f', {
      xattrs: [
        ['user.a', '1'],
        ['user.b', '2']
      ]
    })
    const after = file('f', {
      xattrs: [
        ['user.b', '2'],
        ['user.a', '1']
      ]
    })
    expect(compareTreeManifests(entries(dir('.', before)), entries(dir('.', after)))).toEqual([])
  })

  test('looks at the given keywords only, also at those kept as text', () => {
    const before = parseTreeManifest('a type=file md5=1 size=1 time=1.5').entries
    const after = parseTreeManifest('a type=file md5=2 size=2 time=1.6').entries
    expect(summary(compareTreeManifests(before, after, ['md5digest', 'time']))).toEqual([
      'modified a md5digest time'
    ])
    expect(compareTreeManifests(before, after, ['type'])).toEqual([])
  })

  test('refuses a path that is listed twice', () => {
    const twice = parseTreeManifest('a type=file\n./a type=file').entries
    expect(() => compareTreeManifests(twice, [])).toThrow(
      expect.objectContaining({ code: 'MTREE_INVALID', facts: { path: 'a' } })
    )
  })

  test('finds nothing between a tree and itself, and everything against nothing', () => {
    fc.assert(
      fc.property(tree, (root) => {
        const list = entries(root)
        expect(compareTreeManifests(list, entries(root))).toEqual([])
        expect(compareTreeManifests([], list).every(({ kind }) => kind === 'extra')).toBe(true)
        expect(compareTreeManifests(list, [])).toHaveLength(list.length)
      })
    )
  })
})
