import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MtreeNode } from '../../src/mtree/entry.ts'
import { parseTreeManifest } from '../../src/mtree/parse.ts'
import { formatTreeManifest } from '../../src/mtree/write.ts'
import { tree } from './arbitraries.ts'
import { dir, entries, file, HEADER, link, manifestText } from './builders.ts'

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

describe('formatTreeManifest', () => {
  test("lays a tree out as umoci's go-mtree does", () => {
    const root = dir(
      '.',
      dir('a-b'),
      dir('a', { ...dir('b'), mode: 0 }),
      { ...dir('q[x]', file('own', { sha256: EMPTY }), dir('sub')), uid: 3, gid: 4 },
      link('link', 'tar get*'),
      file('hard', { nlink: 2, mode: 0o664, sha256: EMPTY, mtimeSec: -1 }),
      file('setuid', { mode: 0o4755, sha256: EMPTY, xattrs: [['user.d\xff', '\0\xff']] }),
      { ...file('null', { type: 'char' }), sha256: undefined } as unknown as MtreeNode
    )
    expect(manifestText(root)).toBe(
      [
        '#          user: root',
        '#       machine: vm',
        '#          tree: bundle/rootfs',
        '#          date: Thu Nov 5 02:17:13 2026',
        '#      keywords: size,type,uid,gid,mode,link,nlink,tar_time,sha256digest,xattr',
        '',
        '# .',
        '/set type=file nlink=1 mode=0664 uid=0 gid=0',
        '. size=4096 type=dir mode=0755 nlink=2 tar_time=100.000000000',
        `    hard size=0 nlink=2 tar_time=-1.000000000 sha256digest=${EMPTY}`,
        '    link size=8 type=link mode=0777 link=tar\\040get\\052 tar_time=100.000000000',
        '    null size=0 type=char mode=0644 tar_time=100.000000000',
        `    setuid size=0 mode=04755 tar_time=100.000000000 sha256digest=${EMPTY} xattr.user.d\\377=AP8=`,
        '',
        '# a',
        'a size=4096 type=dir mode=0755 nlink=2 tar_time=100.000000000',
        '',
        '# a/b',
        'b size=4096 type=dir mode=0 nlink=2 tar_time=100.000000000',
        '..',
        '..',
        '',
        '# a-b',
        'a-b size=4096 type=dir mode=0755 nlink=2 tar_time=100.000000000',
        '..',
        '',
        '# q[x]',
        '/set type=file nlink=1 mode=0664 uid=3 gid=4',
        'q\\133x] size=4096 type=dir mode=0755 nlink=2 tar_time=100.000000000',
        `    own size=0 uid=0 gid=0 mode=0644 tar_time=100.000000000 sha256digest=${EMPTY}`,
        '',
        '# q[x]/sub',
        '/set type=file nlink=1 mode=0664 uid=0 gid=0',
        'sub size=4096 type=dir mode=0755 nlink=2 tar_time=100.000000000',
        '..',
        '..',
        '..',
        ''
      ].join('\n')
    )
  })

  test('describes any tree so that parseTreeManifest finds it again, in the same order', () => {
    fc.assert(
      fc.property(tree, (root) => {
        expect(parseTreeManifest(manifestText(root)).entries).toEqual(entries(root))
      })
    )
  })

  test('sorts by byte value within a directory, files before directories', () => {
    const root = dir('.', dir('b'), dir('\xe9'), dir('Z'), file('\xff'), file('a'), file('B'))
    const paths = parseTreeManifest(manifestText(root)).entries.map(({ path }) => path)
    expect(paths).toEqual(['.', 'B', 'a', '\xff', 'Z', 'b', '\xe9'])
  })

  test('keeps every comment on its line, whatever the names are', () => {
    const root = dir('.', dir('new\nx type=file size=1'))
    const text = [...formatTreeManifest(root, { ...HEADER, tree: 'a\n. type=file' })].join('')
    expect(text).toContain('# new\\012x type=file size=1\n')
    expect(parseTreeManifest(text).entries).toHaveLength(2)
  })

  test('cuts lines that go-mtree could not read, and never within an escaped backslash', () => {
    const xattrs = [['user.big', '\xff'.repeat(65_536)]] as const
    const root = dir(
      '.',
      file('f', { xattrs }),
      link('l', '\\'.repeat(50_000)),
      link('ll', '\\'.repeat(50_000))
    )
    const text = manifestText(root)
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(65_536)
    expect(parseTreeManifest(text).entries).toEqual(entries(root))
  })

  test('keeps `=` in the name of an xattr apart from the one before its value', () => {
    const root = dir('.', file('f', { xattrs: [['user.a=YWI', '']] }))
    expect(manifestText(root)).toContain(' xattr.user.a\\075YWI=\n')
    expect(parseTreeManifest(manifestText(root)).entries).toEqual(entries(root))
  })

  test('leaves out xattrs where go-mtree looks for none', () => {
    const root = dir('.', { ...link('l', 'x'), xattrs: [['trusted.a', 'b']] })
    expect(manifestText(root)).not.toContain('trusted')
    expect(parseTreeManifest(manifestText(root)).entries).toEqual(entries(root))
  })

  test('writes a tree of any depth, its directory comments cut', () => {
    let root = dir('d')
    for (let depth = 0; depth < 20_000; depth++) root = dir('d', root)
    const text = manifestText({ ...root, name: '.' })
    expect(text.match(/^\.\.$/gm)).toHaveLength(20_001)
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(5000)
  })

  test('comes in pieces of about 64 KiB', () => {
    const root = dir('.', ...Array.from({ length: 5000 }, (_, index) => file(`file${index}`)))
    const sizes = Array.from(formatTreeManifest(root, HEADER), ({ length }) => length)
    expect(sizes.length).toBeGreaterThan(5)
    expect(Math.max(...sizes)).toBeLessThan(70_000)
  })
})
