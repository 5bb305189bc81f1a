import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseTreeManifest } from '../../src/mtree/parse.ts'
import { needs } from '../support/requires.ts'

const SHA = 'ab'.repeat(32)

function pathsOf(text: string): string[] {
  return parseTreeManifest(text).entries.map(({ path }) => path)
}

describe('parseTreeManifest', () => {
  test('applies /set to what follows and /unset takes it back', () => {
    const text = [
      '/set type=file uid=1 gid=2 mode=0664 optional',
      '. type=dir uid=0',
      'a size=3',
      '/unset gid optional',
      'b',
      '/unset all',
      'c type=fifo',
      '..'
    ].join('\n')
    expect(parseTreeManifest(text).entries).toMatchObject([
      { path: '.', type: 'dir', uid: 0, gid: 2, mode: 0o664 },
      { path: 'a', type: 'file', uid: 1, gid: 2, size: 3, other: new Map([['optional', '']]) },
      { path: 'b', type: 'file', uid: 1, gid: undefined, other: new Map() },
      { path: 'c', type: 'fifo', uid: undefined, mode: undefined, other: undefined }
    ])
  })

  test('follows directories down and `..` up', () => {
    const text =
      '. type=dir\na type=dir\nb type=dir\nc type=file\n..\nd type=file\n..\ne type=file\n..'
    expect(pathsOf(text)).toEqual(['.', 'a', 'a/b', 'a/b/c', 'a/d', 'e'])
  })

  test('reads full paths, which move no directory', () => {
    const text =
      '#mtree\n. type=dir\n./a type=dir\n./a//b\\040c/./d type=file\na/x type=file\ny type=file\n'
    expect(pathsOf(text)).toEqual(['.', 'a', 'a/b c/d', 'a/x', 'y'])
  })

  test('joins continued lines, also within a word, but not comments', () => {
    const text = '# comment \\\n. type=dir \\\n\tsize=1\\\n2\na type=link link=b\\\\\n..\n'
    expect(parseTreeManifest(text).entries).toMatchObject([
      { path: '.', size: 12 },
      { path: 'a', link: 'b\\' }
    ])
  })

  test("reads FreeBSD's mtree -c", () => {
    const text = [
      '#\t   user: root',
      '',
      '# .',
      '/set type=file uid=0 gid=0 mode=0644 nlink=1 flags=uarch',
      '.               type=dir mode=0755 nlink=3 time=1700000000.012345678',
      '    a\\sb         size=6 \\',
      '                time=1700000000.5 \\',
      '                cksum=12 md5digest=00ff \\',
      `                sha1=11 SHA=x sha256=${SHA.toUpperCase()} sha512=22 rmd160digest=33 \\`,
      '                inode=7 device=0x12 uname=root gname=wheel',
      '..'
    ].join('\n')
    const manifest = parseTreeManifest(text)
    expect(manifest.entries[1]).toMatchObject({
      path: 'a b',
      time: { sec: 1_700_000_000, nsec: 5 },
      sha256: SHA
    })
    expect(Object.fromEntries(manifest.entries[1]!.other!)).toEqual({
      flags: 'uarch',
      cksum: '12',
      md5digest: '00ff',
      sha1digest: '11',
      SHA: 'x',
      sha512digest: '22',
      ripemd160digest: '33',
      inode: '7',
      device: '0x12',
      uname: 'root',
      gname: 'wheel'
    })
    expect(manifest.unknownKeywords).toEqual(['SHA'])
    expect([...manifest.keywords]).toEqual(
      expect.arrayContaining(['time', 'sha256digest', 'flags'])
    )
  })

  test("reads NetBSD's mtree -c, with a directory left before the next is entered", () => {
    const text = [
      '#\t   user: (null)',
      '',
      '# .',
      '/set type=file uname=root gname=root mode=0644 nlink=1 flags=none',
      '.               type=dir mode=0755 nlink=3 time=1795260046.724472112',
      '    null        type=char device=0x103 time=1795260046.724472112',
      '    sp\\sace\\#   size=5 time=1795260046.715383614 \\',
      '                link=x\\M^?',
      '',
      '# ./d',
      'd               type=dir mode=u=rwx,go=rx',
      '    tab\\t\\^A\\M^? \\',
      '                size=1',
      '# ./d',
      '..',
      '',
      'e               type=dir',
      '..',
      '..'
    ].join('\n')
    const { entries, unknownKeywords, isClosed } = parseTreeManifest(text)
    expect(entries).toMatchObject([
      { path: '.', nlink: 3 },
      {
        path: 'null',
        type: 'char',
        other: new Map(
          Object.entries({ uname: 'root', gname: 'root', flags: 'none', device: '0x103' })
        )
      },
      { path: 'sp ace#', link: 'x\xff', time: { nsec: 715383614 } },
      { path: 'd', mode: 0o755 },
      { path: 'd/tab\t\x01\xff', size: 1 },
      { path: 'e' }
    ])
    expect(unknownKeywords).toEqual([])
    expect(isClosed).toBe(true)
  })

  test("reads NetBSD's mtree -C, which has full paths and no /set", () => {
    const text = [
      '. type=dir uid=0 gid=0 mode=0755 nlink=3 time=1795260046.7 flags=none ',
      './d type=dir uid=0 gid=0 mode=0755 flags=none ',
      './d/tab\\t\\^A\\M^? type=file size=1 tags=a,b optional nochange ignore contents=x resdevice=1 ',
      './d/e type=dir mode=0 '
    ].join('\n')
    const manifest = parseTreeManifest(text)
    expect(manifest.entries.map(({ path }) => path)).toEqual(['.', 'd', 'd/tab\t\x01\xff', 'd/e'])
    expect([...manifest.entries[2]!.other!.keys()]).toEqual([
      'tags',
      'optional',
      'nochange',
      'ignore',
      'contents',
      'resdevice'
    ])
    expect(manifest.unknownKeywords).toEqual([])
  })

  test('takes the last of equal xattrs, and names that go-mtree wrote with `=`', () => {
    const text = 'a type=file xattr.user.x=YQ== xattr.user.x=Yg== xattr.user.k=v=Yw== xattr.user.e='
    expect(parseTreeManifest(text).entries[0]!.xattrs).toEqual([
      ['user.x', 'b'],
      ['user.k=v', 'c'],
      ['user.e', '']
    ])
  })

  test('rounds times before 1970 down', () => {
    expect(parseTreeManifest('a tar_time=-2.000000000').entries[0]!.mtimeSec).toBe(-2)
  })

  test.each([
    ['a size=', 'size='],
    ['a size=-1', 'size=-1'],
    ['a size=1e3', 'size=1e3'],
    ['a size=99999999999999999999', 'size=99999999999999999999'],
    ['a mode=0888', 'mode=0888'],
    ['a mode=u+y', 'mode=u+y'],
    ['a type=door', 'type=door'],
    ['a link=\\q', 'link=\\q'],
    ['a tar_time=1.x', 'tar_time=1.x'],
    ['a time=1.1000000000', 'time=1.1000000000'],
    ['a sha256digest=12', 'sha256digest=12'],
    ['a xattr.user.x=!', 'xattr.user.x=!'],
    ['a =x', '=x'],
    ['/sett type=file', '/sett'],
    ['..', '..'],
    ['a\\q type=file', 'a\\q'],
    ['a\\057b type=file', 'a\\057b'],
    ['a\\000b type=file', 'a\\000b'],
    ['\\056\\056 type=file', '\\056\\056'],
    ['a/../b type=file', '..']
  ])('refuses %j with the number of its line', (line, found) => {
    expect(() => parseTreeManifest(`# one\n\n${line}\n`)).toThrow(
      expect.objectContaining({
        code: 'MTREE_INVALID',
        message: expect.stringContaining('Line 3 ') as unknown,
        facts: { found }
      })
    )
  })

  test('counts lines also behind continued ones', () => {
    expect(() => parseTreeManifest('a \\\n\\\nsize=1\nb size=x')).toThrow('Line 4 ')
  })

  test('reads nothing in an empty file', () => {
    expect(parseTreeManifest('')).toMatchObject({
      entries: [],
      keywords: new Set(),
      unknownKeywords: []
    })
  })

  test.each([
    ['. type=dir\n    a type=file\n..\n', true],
    ['. type=dir\nd type=dir\n..\n..\n', true],
    ['. type=dir\n    a type=file\n', false],
    ['. type=dir\nd type=dir\n..\n', false],
    ['./a type=file\n', true]
  ])('notices whether directories are left again: %j', (text, isClosed) => {
    expect(parseTreeManifest(text).isClosed).toBe(isClosed)
  })
})

describe.skipIf(!needs('bsdtar'))('a manifest of bsdtar', () => {
  test('is read in full paths, with its own way to write times and digests', () => {
    const work = mkdtempSync(join(tmpdir(), 'oci-unpack-bsdtar-'))
    try {
      mkdirSync(join(work, 'dir'))
      writeFileSync(join(work, 'dir/sp ace#'), 'hello')
      symlinkSync('dir/sp ace#', join(work, 'link'))
      utimesSync(join(work, 'dir/sp ace#'), 7, 7.000001)
      const options = '--options=!all,type,size,mode,link,time,sha256,md5'
      const args = ['--format=mtree', options, '-cf-', '-C', work, '.']
      const { entries } = parseTreeManifest(execFileSync('bsdtar', args, { encoding: 'latin1' }))
      const byPath = new Map(entries.map((entry) => [entry.path, entry]))
      expect([...byPath.keys()].sort()).toEqual(['.', 'dir', 'dir/sp ace#', 'link'])
      expect(byPath.get('link')).toMatchObject({ type: 'link', link: 'dir/sp ace#' })
      expect(byPath.get('dir/sp ace#')).toMatchObject({
        type: 'file',
        size: 5,
        time: { sec: 7, nsec: 1000 },
        sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
        other: new Map([['md5digest', '5d41402abc4b2a76b9719d911017c592']])
      })
    } finally {
      rmSync(work, { recursive: true })
    }
  })
})
