import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readMembers } from '../../src/archive/members.ts'
import { failure } from '../image/errors.ts'
import { ok } from '../support/run.ts'
import {
  directory,
  encodeEntry,
  file,
  hardlink,
  symlink,
  tar,
  type Entry
} from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let archive: string
beforeEach(() => {
  work = makeTemporary()
  archive = `${work}/a.tar`
})
afterEach(() => removeTemporary(work))

function members(...entries: Entry[]): ReturnType<typeof readMembers> {
  writeFileSync(archive, tar(...entries))
  return readMembers(archive)
}

test('tells where each body lies, under clean names', () => {
  const long = 'n'.repeat(300)
  const { byName } = members(
    directory('./'),
    directory('./blobs/'),
    directory('blobs'),
    file('./blobs/a', 'one'),
    file('empty'),
    file(long, 'x'.repeat(600)),
    file('last', 'end')
  )
  const content = tar(
    directory('./'),
    directory('./blobs/'),
    directory('blobs'),
    file('./blobs/a', 'one'),
    file('empty'),
    file(long, 'x'.repeat(600)),
    file('last', 'end')
  )
  const text = (name: string): string => {
    const { offset, length } = byName.get(name)!
    return content.toString('latin1', offset, offset + length)
  }
  expect([...byName.keys()]).toEqual(['', 'blobs', 'blobs/a', 'empty', long, 'last'])
  expect(text('blobs/a')).toBe('one')
  expect(text('empty')).toBe('')
  expect(text(long)).toBe('x'.repeat(600))
  expect(text('last')).toBe('end')
})

test('does not read bodies: a hole of a terabyte costs nothing', () => {
  const head = encodeEntry(file('big', '', { size: 2 ** 40 }))
  writeFileSync(archive, head)
  truncateSync(archive, 512 + 2 ** 40)
  expect(readMembers(archive).byName.get('big')).toMatchObject({ offset: 512, length: 2 ** 40 })
})

test('keeps links and sparse files as what they are', () => {
  const sparse = `${work}/sparse`
  writeFileSync(sparse, 'head')
  truncateSync(sparse, 1 << 20)
  ok('tar', '-cf', archive, '--format=posix', '--sparse', '-C', work, 'sparse')
  expect(readMembers(archive).byName.get('sparse')).toMatchObject({ type: 'file', plain: false })
  const { byName } = members(file('a'), symlink('s', '../a'), hardlink('h', 'a'))
  expect([...byName.values()].map(({ type }) => type)).toEqual(['file', 'symlink', 'hardlink'])
})

test.each<[name: string, rivals: number, ...entries: Entry[]]>([
  ['two files of one name', 1, file('a', '1'), file('a', '1')],
  ['two spellings of one name', 1, file('a', '1'), file('./a', '2')],
  ['a link in the place of a file', 1, file('a', '1'), symlink('a', 'b')],
  ['a directory in the place of a file', 1, file('a', '1'), directory('a/')],
  ['a link to elsewhere', 1, symlink('a', 'b'), symlink('a', 'c')],
  [
    'directories and equal links',
    0,
    symlink('a', 'b'),
    symlink('a', 'b'),
    directory('b/'),
    directory('b')
  ]
])('remembers what else has the name of a member: %s', (_what, rivals, ...entries) => {
  const { byName } = members(...entries)
  expect(byName.get('a')!.rivals).toHaveLength(rivals)
  expect(byName.get('b')?.rivals ?? []).toEqual([])
})

describe('refuses', () => {
  test.each<[name: string, ...entries: Entry[]]>([
    ['a name that climbs', file('../outside', 'x')],
    ['a name that climbs in the middle', file('blobs/../../x', 'x')],
    ['an absolute name', file('/etc/passwd', 'x')],
    ['a very long name', file('d/'.repeat(2049), '')]
  ])('%s', (_name, ...entries) => {
    const error = failure(() => members(...entries))
    expect(error).toMatchObject({ code: 'ARCHIVE_INVALID', facts: { file: archive } })
    expect(String(error.facts.entry).length).toBeLessThan(300)
  })

  test('a name that is larger than the reader may hold', () => {
    expect(failure(() => members(file('n'.repeat(1 << 17)))).code).toBe('LIMIT_EXCEEDED')
  })

  test.each([1, 511, 512, 600])('an archive without its last %i bytes', (missing) => {
    const whole = encodeEntry(file('blob', Buffer.alloc(2048, 'x')))
    writeFileSync(archive, whole.subarray(0, whole.length - missing))
    expect(failure(() => readMembers(archive)).code).toBe('TAR_INVALID')
  })

  test('damage in a header', () => {
    const bytes = tar(file('a', 'x'), file('b', 'y'))
    bytes[1024 + 3]! ^= 1
    writeFileSync(archive, bytes)
    expect(failure(() => readMembers(archive))).toMatchObject({
      code: 'TAR_INVALID',
      facts: { offset: 1024, file: archive }
    })
  })

  test('an archive that is compressed as a whole, and says how to decompress it', () => {
    writeFileSync(archive, gzipSync(tar(file('a', 'x'))))
    const error = failure(() => readMembers(archive))
    expect(error).toMatchObject({ code: 'ARCHIVE_INVALID', facts: { found: 'gzip' } })
    expect(error.hint).toContain(`gzip -dc ${archive}`)
  })

  test('what is no file at all', () => {
    mkdirSync(archive)
    expect(failure(() => readMembers(archive)).code).toBe('ARCHIVE_INVALID')
    ok('mkfifo', `${work}/fifo`)
    expect(failure(() => readMembers(`${work}/fifo`)).code).toBe('ARCHIVE_INVALID')
    expect(failure(() => readMembers(`${work}/nowhere`)).code).toBe('ARCHIVE_INVALID')
  })
})

test('follows the links of the operator to the archive', () => {
  writeFileSync(archive, tar(file('a', 'x')))
  symlinkSync('a.tar', `${work}/link`)
  expect(readMembers(`${work}/link`).path).toBe(archive)
})
