import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fromBuffer, toBuffer, type ByteString } from '../../src/bytes.ts'
import {
  listByKernel,
  listByNode,
  listDirectory,
  listDirectoryTypes
} from '../../src/sys/directory.ts'
import { getdents64, libcCalls } from '../../src/sys/libc.ts'
import { close, createFile, openDirectory } from '../../src/sys/files.ts'
import {
  makeDirectory,
  makeLink,
  makeSpecial,
  makeSymlink,
  readSymlink,
  removeEmptyDirectory,
  removeFile,
  renameFileNew,
  renameNew
} from '../../src/sys/names.ts'
import { status } from '../../src/sys/status.ts'
import { errnoOf } from '../support/errno.ts'
import { failure } from '../support/failure.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

const BYTE_NAMES: readonly ByteString[] = [
  '\xff\xfe',
  'a\nb\tc',
  fromBuffer(Buffer.from('grüße')),
  '"quoted"',
  ' ',
  '-rf',
  'n'.repeat(255),
  Array.from({ length: 255 }, (_, byte) => String.fromCharCode(byte + 1))
    .join('')
    .replace('/', '')
]

describe('names are bytes', () => {
  test.each(BYTE_NAMES)('%j comes back from the disk as it was given', (name) => {
    withScratch((fd, path) => {
      close(createFile(fd, name, 0o600))
      expect(listDirectory(fd)).toEqual([name])
      expect(fs.readdirSync(path, { encoding: 'buffer' })).toEqual([toBuffer(name)])
      expect(status(fd, name).type).toBe('file')
      renameNew(fd, name, fd, 'x')
      makeLink(fd, 'x', fd, name)
      removeFile(fd, name)
      expect(listDirectory(fd)).toEqual(['x'])
    })
  })

  test('a symbolic link holds any bytes, verbatim, up to 4095 of them', () => {
    withScratch((fd) => {
      for (const target of ['\xff/../ \n', 'x'.repeat(4095), './/a/']) {
        makeSymlink(target, fd, 'link')
        expect(readSymlink(fd, 'link')).toBe(target)
        removeFile(fd, 'link')
      }
    })
  })

  test('a NUL, which the kernel would take for the end, is refused before any call', () => {
    withScratch((fd) => {
      for (const act of [
        () => createFile(fd, 'a\0b', 0o600),
        () => makeSymlink('a\0b', fd, 'link'),
        () => makeLink(fd, 'a\0', fd, 'b')
      ])
        expect(failure(act)?.code).toBe('ENTRY_INVALID')
      expect(listDirectory(fd)).toEqual([])
    })
  })

  test.each([
    [256, 'ENAMETOOLONG'],
    [4096, 'ENAMETOOLONG']
  ])('a name of %i bytes fails in the kernel', (length, errno) => {
    withScratch((fd) => {
      expect(errnoOf(() => makeDirectory(fd, 'n'.repeat(length), 0o700))).toBe(errno)
    })
  })

  test('a name too long for the memory of arguments is refused', () => {
    withScratch((fd) => {
      const error = failure(() => makeDirectory(fd, 'n'.repeat(10_000), 0o700))
      expect(error).toMatchObject({
        code: 'ENTRY_INVALID',
        facts: { reason: 'it has 10000 bytes' }
      })
    })
  })
})

describe('what exists is never replaced', () => {
  test.each([
    ['a file', (fd: number): unknown => createFile(fd, 'taken', 0o600)],
    ['a directory', (fd: number) => makeDirectory(fd, 'taken', 0o700)],
    ['a symbolic link', (fd: number) => makeSymlink('x', fd, 'taken')],
    ['a FIFO', (fd: number) => makeSpecial(fd, 'taken', 'fifo', 0o600, 0, 0)],
    ['a further name', (fd: number) => makeLink(fd, 'other', fd, 'taken')],
    ['a renamed file', (fd: number) => renameNew(fd, 'other', fd, 'taken')]
  ])('by %s', (_name, act) => {
    withScratch((fd, path) => {
      fs.writeFileSync(`${path}/taken`, 'kept')
      fs.writeFileSync(`${path}/other`, 'other')
      expect(errnoOf(() => act(fd))).toBe('EEXIST')
      expect(fs.readFileSync(`${path}/taken`, 'utf8')).toBe('kept')
    })
  })

  test('by a file made through a dangling link', () => {
    withScratch((fd) => {
      makeSymlink('elsewhere', fd, 'link')
      expect(errnoOf(() => createFile(fd, 'link', 0o600))).toBe('EEXIST')
      expect(listDirectory(fd)).toEqual(['link'])
    })
  })
})

describe('where the file system does not know RENAME_NOREPLACE', () => {
  const UNKNOWN_FLAG = 0x80
  beforeEach(() => {
    const call = libcCalls.renameat2
    vi.spyOn(libcCalls, 'renameat2').mockImplementation((...args: readonly number[]) =>
      call(...args.slice(0, 4), args[4] === 0 ? 0 : UNKNOWN_FLAG)
    )
  })
  afterEach(() => vi.restoreAllMocks())

  test('a new name is given', () => {
    withScratch((fd, path) => {
      makeDirectory(fd, 'directory', 0o700)
      fs.writeFileSync(`${path}/directory/file`, '')
      renameNew(fd, 'directory', fd, 'other')
      expect(fs.readdirSync(path)).toEqual(['other'])
      expect(fs.readdirSync(`${path}/other`)).toEqual(['file'])
    })
  })

  test.each([
    ['with hard links', undefined],
    ['without', -1]
  ])('a file and a link get a new name: %s', (_name, linked) => {
    if (linked !== undefined) vi.spyOn(libcCalls, 'linkat').mockReturnValue(linked)
    withScratch((fd, path) => {
      fs.writeFileSync(`${path}/file`, 'content')
      fs.symlinkSync('nowhere', `${path}/link`)
      renameFileNew(fd, 'file', fd, 'file-2')
      renameFileNew(fd, 'link', fd, 'link-2')
      expect(fs.readdirSync(path).sort()).toEqual(['file-2', 'link-2'])
      expect(fs.readFileSync(`${path}/file-2`, 'utf8')).toBe('content')
      expect(fs.readlinkSync(`${path}/link-2`)).toBe('nowhere')
    })
  })

  test('a name that is taken at the last moment is refused', () => {
    withScratch((fd, path) => {
      fs.writeFileSync(`${path}/file`, 'kept')
      const { linkat } = libcCalls
      vi.spyOn(libcCalls, 'linkat').mockImplementation((...args: readonly number[]) => {
        fs.writeFileSync(`${path}/new`, 'faster')
        return linkat(...args)
      })
      expect(errnoOf(() => renameFileNew(fd, 'file', fd, 'new'))).toBe('EEXIST')
      expect(fs.readFileSync(`${path}/new`, 'utf8')).toBe('faster')
    })
  })

  test.each(['file', 'directory', 'link'])('a name that a %s has is refused', (taken) => {
    withScratch((fd, path) => {
      fs.mkdirSync(`${path}/directory`)
      fs.writeFileSync(`${path}/file`, 'kept')
      fs.symlinkSync('nowhere', `${path}/link`)
      fs.mkdirSync(`${path}/new`)
      for (const from of ['file', 'new'])
        expect(errnoOf(() => renameNew(fd, from, fd, taken))).toBe('EEXIST')
      expect(fs.readdirSync(path).sort()).toEqual(['directory', 'file', 'link', 'new'])
    })
  })

  test('another failure stays what it is', () => {
    withScratch((fd) => {
      makeDirectory(fd, 'directory', 0o700)
      expect(errnoOf(() => renameNew(fd, 'missing', fd, 'new'))).toBe('ENOENT')
      expect(listDirectory(fd)).toEqual(['directory'])
    })
  })
})

test('a link to a symbolic link is the link itself', () => {
  withScratch((fd, path) => {
    makeSymlink('file', fd, 'link')
    fs.writeFileSync(`${path}/file`, '')
    makeLink(fd, 'link', fd, 'second')
    expect(readSymlink(fd, 'second')).toBe('file')
    expect(status(fd, 'second').inode).toBe(status(fd, 'link').inode)
  })
})

test('removing is by kind: a file is no directory, a full directory stays', () => {
  withScratch((fd, path) => {
    fs.mkdirSync(`${path}/full/inner`, { recursive: true })
    fs.writeFileSync(`${path}/file`, '')
    fs.symlinkSync('full', `${path}/link`)
    expect(errnoOf(() => removeFile(fd, 'full'))).toBe('EISDIR')
    expect(errnoOf(() => removeEmptyDirectory(fd, 'full'))).toBe('ENOTEMPTY')
    expect(errnoOf(() => removeEmptyDirectory(fd, 'file'))).toBe('ENOTDIR')
    expect(errnoOf(() => removeEmptyDirectory(fd, 'link'))).toBe('ENOTDIR')
    expect(errnoOf(() => removeFile(fd, 'missing'))).toBe('ENOENT')
    removeFile(fd, 'link')
    expect(listDirectory(fd).sort()).toEqual(['file', 'full'])
  })
})

test('a directory lists its names with the types that it records', () => {
  withScratch((fd, path) => {
    fs.mkdirSync(`${path}/d`)
    fs.symlinkSync('d', `${path}/l`)
    const found = listDirectoryTypes(fd).map((entry) => [entry.name, entry.isDirectory()])
    expect(found.sort()).toEqual([
      ['d', true],
      ['l', false]
    ])
  })
})

describe.each([
  ['getdents64', (fd: number) => listByKernel(fd, getdents64!)],
  ['Node', listByNode]
])('a listing by %s', (_, list) => {
  test('is whole, whatever the number and length of the names, and each time', () => {
    withScratch((fd, path) => {
      const names = Array.from({ length: 700 }, (_, i) => `${i}`.padEnd(1 + (i % 255), '\xff'))
      for (const name of names) fs.writeFileSync(Buffer.from(`${path}/${name}`, 'latin1'), '')
      expect(list(fd).sort()).toEqual(names.sort())
      expect(list(fd).sort()).toEqual(names)
    })
  })
})

test('a listing of a directory that was removed fails', () => {
  withScratch((_, path) => {
    fs.mkdirSync(`${path}/d`)
    withOpen(`${path}/d`, (gone) => {
      fs.rmdirSync(`${path}/d`)
      expect(errnoOf(() => listByKernel(gone, getdents64!))).toBe('ENOENT')
    })
  })
})

test('a handle that leads to no directory is a failed call', () => {
  withScratch((fd, path) => {
    fs.writeFileSync(`${path}/file`, '')
    const own = fs.openSync(`${path}/file`, 'r')
    expect(errnoOf(() => listDirectory(own))).toBe('ENOTDIR')
    fs.closeSync(own)
    expect(errnoOf(() => openDirectory(fd, 'file'))).toBe('ENOTDIR')
  })
})

describe.runIf(needs('root'))('devices', () => {
  test.each([
    [0, 0],
    [1, 3],
    [8, 255],
    [8, 256],
    [259, 65_536],
    [4095, 1_048_575]
  ])('%i:%i keeps both of its numbers', (major, minor) => {
    withScratch((fd, path) => {
      makeSpecial(fd, 'char', 'char', 0o600, major, minor)
      makeSpecial(fd, 'block', 'block', 0o640, major, minor)
      expect(status(fd, 'char')).toMatchObject({ type: 'char', devMajor: major, devMinor: minor })
      expect(status(fd, 'block')).toMatchObject({ type: 'block', devMajor: major, devMinor: minor })
      expect(fs.lstatSync(`${path}/char`).rdev).toBe(makedev(major, minor))
    })
  })
})

/** makedev(3) of glibc, for numbers below 2^53. */
function makedev(major: number, minor: number): number {
  return Number(
    (BigInt(major & 0xfff) << 8n) | BigInt(minor & 0xff) | (BigInt(minor & 0xfff00) << 12n)
  )
}
