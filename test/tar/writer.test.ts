import { describe, expect, test } from 'vitest'
import { fromBuffer } from '../../src/bytes.ts'
import type { TarEntry } from '../../src/tar/entry.ts'
import { endOfArchive, headerBlocks, padding } from '../../src/tar/writer.ts'
import { entry, readArchive } from '../support/archive.ts'
import { failure } from '../support/failure.ts'

/** The header blocks of an entry, one byte string each. */
function blocks(fields: Partial<TarEntry>, options = {}): string[] {
  const bytes = fromBuffer(headerBlocks(entry(fields), options))
  return bytes.match(/[^]{512}/g)!
}

function field(block: string, start: number, end: number): string {
  return block.slice(start, end)
}

/** The records of a PAX header, without padding. */
function records(fields: Partial<TarEntry>, options = {}): string[] {
  const all = blocks(fields, options)
  const size = Number.parseInt(field(all[0]!, 124, 135), 8)
  return all.slice(1).join('').slice(0, size).trimEnd().split('\n')
}

describe('a ustar header', () => {
  const mtime = { sec: 859_293_600, nsec: 999 }
  const [block] = blocks({ name: 'dir/file', mode: 0o4755, uid: 1000, gid: 100, size: 17, mtime })

  test.each([
    ['name', 0, 100, 'dir/file'.padEnd(100, '\0')],
    ['mode', 100, 108, '0004755\0'],
    ['uid', 108, 116, '0001750\0'],
    ['gid', 116, 124, '0000144\0'],
    ['size', 124, 136, '00000000021\0'],
    ['mtime', 136, 148, `0${(859_293_600).toString(8)}\0`],
    ['type', 156, 157, '0'],
    ['link', 157, 257, '\0'.repeat(100)],
    ['magic and version', 257, 265, 'ustar\x0000'],
    ['owner names', 265, 329, '\0'.repeat(64)],
    ['device numbers', 329, 345, '0000000\x000000000\0'],
    ['prefix', 345, 500, '\0'.repeat(155)],
    ['rest', 500, 512, '\0'.repeat(12)]
  ])('has its %s where POSIX says', (_, start, end, wanted) => {
    expect(field(block!, start, end)).toBe(wanted)
  })

  test('has a checksum of six digits, a NUL and a space', () => {
    expect(field(block!, 148, 156)).toMatch(/^[0-7]{6}\0 $/)
  })

  test('holds a name of 100 bytes without a NUL', () => {
    expect(blocks({ name: 'n'.repeat(100) })).toHaveLength(1)
  })

  test('divides a longer name at the last slash that fits', () => {
    const [block, ...rest] = blocks({ name: `a/${'b'.repeat(60)}/${'c'.repeat(60)}` })
    expect(rest).toEqual([])
    expect(field(block!, 345, 500)).toBe(`a/${'b'.repeat(60)}`.padEnd(155, '\0'))
    expect(field(block!, 0, 100)).toBe('c'.repeat(60).padEnd(100, '\0'))
  })

  test.each([
    ['155 and 100 bytes', `${'p'.repeat(155)}/${'n'.repeat(100)}`, 1],
    ['156 and 100 bytes', `${'p'.repeat(156)}/${'n'.repeat(100)}`, 3],
    ['155 and 101 bytes', `${'p'.repeat(155)}/${'n'.repeat(101)}`, 3],
    ['101 bytes without a slash', 'n'.repeat(101), 3],
    ['100 bytes below the root', `/${'n'.repeat(100)}`, 3]
  ])('is enough for a name of %s, or not', (_, name, count) => {
    expect(blocks({ name })).toHaveLength(count)
  })

  test('divides the name of a directory before its last component', () => {
    const [block] = blocks({ type: 'directory', name: `${'p'.repeat(120)}/${'n'.repeat(60)}/` })
    expect(field(block!, 0, 100)).toBe(`${'n'.repeat(60)}/`.padEnd(100, '\0'))
  })

  test('is enough for the largest numbers of its fields', () => {
    const largest = { uid: 8 ** 7 - 1, gid: 8 ** 7 - 1, size: 8 ** 11 - 1 }
    expect(blocks({ ...largest, mtime: { sec: 8 ** 11 - 1, nsec: 0 } })).toHaveLength(1)
  })
})

describe('a PAX header', () => {
  test.each<readonly [string, Partial<TarEntry>, string[]]>([
    ['a name that is not ASCII', { name: 'n\xff' }, ['11 path=n\xff']],
    ['a target that is not ASCII', { type: 'symlink', link: 'l\xff' }, ['15 linkpath=l\xff']],
    ['a uid', { uid: 8 ** 7 }, ['15 uid=2097152']],
    ['a gid', { gid: 2 ** 32 - 2 }, ['18 gid=4294967294']],
    ['a size', { size: 8 ** 11 }, ['19 size=8589934592']],
    ['a time before 1970', { mtime: { sec: -2, nsec: 500_000_000 } }, ['12 mtime=-2']],
    ['a time after 2242', { mtime: { sec: 8 ** 11, nsec: 0 } }, ['20 mtime=8589934592']],
    ['an xattr', { xattrs: [['user.a', '\xff']] }, ['25 SCHILY.xattr.user.a=\xff']]
  ])('says %s that ustar cannot', (_, fields, wanted) => {
    expect(records(fields)).toEqual(wanted)
  })

  test('also gives the name that alone could have been divided', () => {
    const name = `${'p'.repeat(120)}/${'n'.repeat(60)}`
    expect(blocks({ name })).toHaveLength(1)
    expect(records({ name, uid: 8 ** 7 }).at(0)).toBe(`${name.length + 10} path=${name}`)
  })

  test('has its records sorted by key', () => {
    const xattrs = [
      ['user.b', '1'],
      ['user.B', '1'],
      ['user.a', '1']
    ] as const
    const keys = records({ name: '\xff', uid: 8 ** 8, xattrs }).map((line) =>
      line.replace(/^\d+ (.*)=.*$/, '$1')
    )
    expect(keys).toEqual([
      'SCHILY.xattr.user.B',
      'SCHILY.xattr.user.a',
      'SCHILY.xattr.user.b',
      'path',
      'uid'
    ])
  })

  test.each([
    ['dir/f\xff', 'dir/PaxHeaders.0/f'],
    ['dir\xff/', 'dir/PaxHeaders.0'],
    ['\xff', 'PaxHeaders.0'],
    ['a'.repeat(120), `PaxHeaders.0/${'a'.repeat(87)}`]
  ])('for %j is named %j', (name, wanted) => {
    const type = name.endsWith('/') ? 'directory' : 'file'
    expect(field(blocks({ type, name })[0]!, 0, 100)).toBe(wanted.padEnd(100, '\0'))
  })

  test('of the root is named without it', () => {
    const [block] = blocks({ type: 'directory', name: '.', xattrs: [['user.a', 'b']] })
    expect(field(block!, 0, 100)).toBe('PaxHeaders.0'.padEnd(100, '\0'))
  })

  test('has zeros for its metadata and NULs for its devices', () => {
    const [block] = blocks({ uid: 8 ** 7, mode: 0o755, mtime: { sec: 5, nsec: 0 } })
    expect(field(block!, 100, 124)).toBe('0000000\0'.repeat(3))
    expect(field(block!, 136, 148)).toBe('00000000000\0')
    expect(field(block!, 156, 257)).toBe(`x${'\0'.repeat(100)}`)
    expect(field(block!, 257, 345)).toBe('ustar\x0000'.padEnd(88, '\0'))
  })

  test('is followed by a ustar header with zeros and stripped, cut names in place of what did not fit', () => {
    const fields = { name: `\xff${'n'.repeat(110)}`, uid: 8 ** 7, mtime: { sec: -1, nsec: 0 } }
    const header = blocks(fields).at(-1)!
    expect(field(header, 0, 100)).toBe('n'.repeat(100))
    expect(field(header, 108, 116)).toBe('0000000\0')
    expect(field(header, 136, 148)).toBe('00000000000\0')
    expect(field(header, 345, 500)).toBe('\0'.repeat(155))
  })

  test('is followed by a name that never ends in the slash it was cut at', () => {
    const name = `${'n'.repeat(99)}/${'m'.repeat(120)}`
    const header = blocks({ name, uid: 8 ** 7 }).at(-1)!
    expect(field(header, 0, 100)).toBe(`${'n'.repeat(99)}\0`)
  })
})

describe('choices', () => {
  test('times are whole seconds unless nanoseconds are asked for', () => {
    const mtime = { sec: -1, nsec: 500_000_000 }
    expect(records({ mtime })).toEqual(['12 mtime=-1'])
    expect(records({ mtime }, { precision: 'nanoseconds' })).toEqual(['14 mtime=-0.5'])
    const whole = { mtime: { sec: 5, nsec: 0 } }
    expect(blocks(whole, { precision: 'nanoseconds' })).toHaveLength(1)
  })

  test('access times and xattrs with empty values are not written', () => {
    expect(blocks({ atime: { sec: 5, nsec: 5 }, xattrs: [['user.empty', '']] })).toHaveLength(1)
  })

  test('a sparse file is written as PAX 1.0: a placeholder, and a map before the body', () => {
    const sparse = { name: 'd/s', size: 3000 }
    const all = blocks(sparse, { sparse: [512, 3, 3000, 0] })
    expect(records(sparse, { sparse: [512, 3, 3000, 0] })).toEqual([
      '22 GNU.sparse.major=1',
      '22 GNU.sparse.minor=0',
      '23 GNU.sparse.name=d/s',
      '28 GNU.sparse.realsize=3000'
    ])
    expect(field(all[2]!, 0, 100)).toBe('d/GNUSparseFile.0/s'.padEnd(100, '\0'))
    expect(Number.parseInt(field(all[2]!, 124, 135), 8)).toBe(512 + 3)
    expect(all[3]).toBe('2\n512\n3\n3000\n0\n'.padEnd(512, '\0'))
  })
})

describe('what tar cannot hold is refused by name', () => {
  test.each<readonly [string, Partial<TarEntry>]>([
    ['a NUL in a name', { name: 'a\0b' }],
    ['a NUL in a target', { type: 'symlink', link: 'a\0b' }],
    ['no name', { name: '' }],
    ['a file that looks like a directory', { name: 'a/' }],
    ['a link without a target', { type: 'symlink' }],
    ['a target without a link', { link: 'a' }],
    ['a body of what has none', { type: 'fifo', size: 1 }],
    ['an xattr name with an equals sign', { xattrs: [['user.a=b', 'c']] }],
    ['an xattr name with a NUL', { xattrs: [['user.a\0b', 'c']] }],
    ['an xattr without a name', { xattrs: [['', 'c']] }],
    ['a negative size', { size: -1 }],
    ['a negative id', { uid: -1 }],
    ['half an id', { gid: 0.5 }],
    ['a device number that is too large', { type: 'char', devMajor: 8 ** 7 }]
  ])('%s', (_, fields) => {
    expect(failure(() => blocks(fields))?.code).toBe('ENTRY_INVALID')
  })

  test.each([
    ['beyond the file', { size: 10 }, [8, 3]],
    ['backwards', { size: 10 }, [5, 1, 2, 1]],
    ['of a directory', { type: 'directory' as const }, []]
  ])('extents %s', (_, fields, sparse) => {
    expect(failure(() => blocks(fields, { sparse }))?.code).toBe('ENTRY_INVALID')
  })

  test('more xattrs than readers accept', () => {
    const xattrs = [['user.a', 'x'.repeat(1 << 20)]] as const
    expect(failure(() => blocks({ xattrs }))?.code).toBe('LIMIT_EXCEEDED')
  })
})

test('padding fills up to the next block', () => {
  expect([0, 1, 511, 512, 513, 8 ** 11 + 1].map(padding)).toEqual([0, 511, 1, 0, 511, 511])
})

test('the end of an archive is two blocks of zeros, and an empty archive', () => {
  expect(endOfArchive()).toEqual(Buffer.alloc(1024))
  expect(readArchive(endOfArchive())).toEqual([])
})
