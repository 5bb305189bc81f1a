import { describe, expect, test } from 'vitest'
import { compareTreeManifests } from '../../src/mtree/compare.ts'
import { maskDeltas, simplifyDeltas, withoutSockets } from '../../src/mtree/filter.ts'
import type { MtreeNode } from '../../src/mtree/entry.ts'
import { dir, entries, file, link } from './builders.ts'

function compare(before: MtreeNode, after: MtreeNode): ReturnType<typeof compareTreeManifests> {
  return compareTreeManifests(entries(before), entries(after))
}

describe('maskDeltas', () => {
  const deltas = compare(
    dir('.'),
    dir('.', dir('var', dir('log', file('a')), file('log-b'), dir('lib')), file('proc'))
  )
  const left = (...masks: string[]) => maskDeltas(deltas, masks).map(({ path }) => path)

  test('drops the masked directory and all below it, not its parent and not its neighbours', () => {
    expect(left('var/log')).toEqual(['proc', 'var', 'var/lib', 'var/log-b'])
  })

  test('has no effect for the root', () => {
    expect(left('')).toHaveLength(deltas.length)
  })
})

describe('simplifyDeltas', () => {
  test('keeps only the top of a deleted tree', () => {
    const before = dir(
      '.',
      dir('a', dir('b', file('c')), file('d')),
      dir('a-b', file('x')),
      file('ab')
    )
    const simple = simplifyDeltas(compare(before, dir('.')))
    expect(simple.map(({ path }) => path)).toEqual(['a', 'a-b', 'ab'])
  })

  test('drops deletions below a directory that became a link: as whiteouts they would follow it', () => {
    const before = dir(
      '.',
      dir('bin', file('sh'), dir('sub', file('x'))),
      dir('usr', dir('bin', file('sh')))
    )
    const after = dir('.', link('bin', 'usr/bin'), dir('usr', dir('bin', file('sh'))))
    expect(simplifyDeltas(compare(before, after))).toMatchObject([
      { kind: 'modified', path: 'bin', after: { type: 'link' } }
    ])
  })

  test('keeps deletions in a directory that stayed, and what is new where a file was', () => {
    const before = dir('.', dir('d', file('gone')), file('f'))
    const after = dir('.', { ...dir('d'), mode: 0o700 }, dir('f', file('new')))
    expect(simplifyDeltas(compare(before, after)).map(({ path }) => path)).toEqual([
      'd',
      'd/gone',
      'f',
      'f/new'
    ])
  })
})

describe('withoutSockets', () => {
  const socket = (name: string): MtreeNode => ({ ...file(name), type: 'socket' })
  const left = (before: MtreeNode, after: MtreeNode) =>
    withoutSockets(compare(dir('.', before), dir('.', after))).map(({ kind, path }) => [kind, path])

  test('drops new and deleted sockets, and those that changed', () => {
    expect(withoutSockets(compare(dir('.', socket('a')), dir('.', socket('b'))))).toEqual([])
    expect(left(socket('a'), { ...socket('a'), mode: 0o700 })).toEqual([])
  })

  test('takes what became a socket as deleted and what a socket became as new', () => {
    expect(left(file('a'), socket('a'))).toEqual([['missing', 'a']])
    expect(left(socket('a'), file('a'))).toEqual([['extra', 'a']])
  })
})
