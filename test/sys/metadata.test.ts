import * as fc from 'fast-check'
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ByteString } from '../../src/bytes.ts'
import { AT_FDCWD, close, createFile } from '../../src/sys/files.ts'
import { identity } from '../../src/sys/identity.ts'
import {
  getXattr,
  listXattrs,
  removeXattr,
  setMode,
  setModeOf,
  setOwner,
  setOwnerOf,
  setTimes,
  setTimesOf,
  setXattr,
  setXattrOf
} from '../../src/sys/metadata.ts'
import { makeSymlink } from '../../src/sys/names.ts'
import { status } from '../../src/sys/status.ts'
import { errnoOf } from '../support/errno.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

/** What ext4 can hold, and every file system with it: 34 bits from 1901 on, without the first and the last. */
const seconds = fc.integer({ min: 1 - 2 ** 31, max: 2 ** 34 - 2 ** 31 - 2 })
const time = fc.record({ sec: seconds, nsec: fc.integer({ min: 0, max: 999_999_999 }) })

describe('times', () => {
  test('have nanoseconds, also before 1970, by name and by descriptor', () => {
    withFile((fd, file) => {
      fc.assert(
        fc.property(time, time, fc.boolean(), (atime, mtime, byName) => {
          if (byName) setTimes(fd, 'file', atime, mtime)
          else setTimesOf(file, atime, mtime)
          expect(status(fd, 'file')).toMatchObject({
            atimeSec: atime.sec,
            atimeNsec: atime.nsec,
            mtimeSec: mtime.sec,
            mtimeNsec: mtime.nsec
          })
        }),
        { numRuns: 300 }
      )
    })
  })

  test.each([
    [-1, 999_999_999, -1n],
    [-1, 0, -1_000_000_000n],
    [0, 0, 0n],
    [859_293_600, 123_456_789, 859_293_600_123_456_789n]
  ])('%i s and %i ns are what node:fs reads', (sec, nsec, expected) => {
    withFile((fd, _file, path) => {
      setTimes(fd, 'file', { sec, nsec }, { sec, nsec })
      expect(fs.lstatSync(`${path}/file`, { bigint: true }).mtimeNs).toBe(expected)
    })
  })

  test('of a symbolic link are its own', () => {
    withFile((fd) => {
      const before = status(fd, 'file')
      makeSymlink('file', fd, 'link')
      setTimes(fd, 'link', { sec: 1, nsec: 2 }, { sec: 3, nsec: 4 })
      expect(status(fd, 'link')).toMatchObject({ mtimeSec: 3, mtimeNsec: 4 })
      expect(status(fd, 'file')).toEqual(before)
    })
  })
})

test('a mode is set whatever the umask, with its special bits', () => {
  withFile((fd, file) => {
    for (const mode of [0o777, 0, 0o1666, 0o6755]) {
      setMode(fd, 'file', mode)
      expect(status(fd, 'file').mode).toBe(mode)
      setModeOf(file, mode ^ 0o111)
      expect(status(fd, 'file').mode).toBe(mode ^ 0o111)
    }
  })
})

test.runIf(needs('root'))('an owner is set by name, by descriptor and on a link itself', () => {
  withFile((fd, file) => {
    makeSymlink('file', fd, 'link')
    setOwner(fd, 'link', 4_294_967_294, 5)
    setOwnerOf(file, 70_000, 9)
    expect(status(fd, 'link')).toMatchObject({ uid: 4_294_967_294, gid: 5 })
    expect(status(fd, 'file')).toMatchObject({ uid: 70_000, gid: 9 })
  })
})

test('the identity is that of the process', () => {
  withScratch((fd, path) => {
    fs.mkdirSync(`${path}/new`)
    const { uid, gid, mode } = status(fd, 'new')
    expect(identity()).toEqual({ uid, gid, umask: 0o777 & ~mode })
  })
})

describe.runIf(needs('root') && fs.existsSync('/dev/shm'))('extended attributes', () => {
  test.each<[string, ByteString]>([
    ['no byte', ''],
    ['binary bytes', '\x01\0\0\x02\xff'],
    ['64 KiB', '\xe9'.repeat(65_536)]
  ])('hold %s', (_name, value) => {
    withMemoryFile((fd, file) => {
      setXattr(fd, 'file', 'trusted.by-name', value)
      setXattrOf(file, 'trusted.by-descriptor', value)
      expect(getXattr(fd, 'file', 'trusted.by-name')).toBe(value)
      expect(getXattr(fd, 'file', 'trusted.by-descriptor')).toBe(value)
    })
  })

  test('more than 64 KiB are refused by the kernel', () => {
    withMemoryFile((fd) => {
      const tooMuch = 'x'.repeat(65_537)
      expect(errnoOf(() => setXattr(fd, 'file', 'trusted.t', tooMuch))).toBe('E2BIG')
    })
  })

  test('are listed by the hundred, names as bytes', () => {
    withMemoryFile((fd) => {
      const names = Array.from({ length: 250 }, (_, i) => `trusted.${i}.${'\xfc'.repeat(240)}`)
      for (const name of names) setXattr(fd, 'file', name, 'v')
      expect(listXattrs(fd, 'file').sort()).toEqual(names.sort())
    })
  })

  test('belong to a symbolic link itself, and to the directory of an empty name', () => {
    withMemoryFile((fd) => {
      makeSymlink('file', fd, 'link')
      setXattr(fd, 'link', 'trusted.link', 'l')
      setXattr(fd, '', 'trusted.here', 'd')
      expect(listXattrs(fd, 'link')).toEqual(['trusted.link'])
      expect(listXattrs(fd, 'file')).toEqual([])
      expect(listXattrs(fd, '')).toEqual(['trusted.here'])
      expect(listXattrs(fd, '.')).toEqual(['trusted.here'])
    })
  })

  test('that are not there read as undefined and cannot be removed', () => {
    withMemoryFile((fd) => {
      expect(getXattr(fd, 'file', 'trusted.none')).toBeUndefined()
      expect(errnoOf(() => removeXattr(fd, 'file', 'trusted.none'))).toBe('ENODATA')
      expect(errnoOf(() => getXattr(fd, 'missing', 'trusted.none'))).toBe('ENOENT')
    })
  })

  test('are found by a path of the operator too', () => {
    withMemoryFile((fd, _file, path) => {
      setXattr(fd, 'file', 'trusted.t', 'v')
      expect(getXattr(AT_FDCWD, `${path}/file`, 'trusted.t')).toBe('v')
    })
  })
})

function withFile(work: (fd: number, file: number, path: string) => void): void {
  withScratch((fd, path) => workWithFile(fd, path, work))
}

/** On tmpfs, which holds attributes as large as the kernel lets them be; ext4 keeps them in a block. */
function withMemoryFile(work: (fd: number, file: number, path: string) => void): void {
  const path = fs.mkdtempSync('/dev/shm/oci-unpack-')
  try {
    withOpen(path, (fd) => workWithFile(fd, path, work))
  } finally {
    fs.rmSync(path, { recursive: true })
  }
}

function workWithFile(
  fd: number,
  path: string,
  work: (fd: number, file: number, path: string) => void
): void {
  const file = createFile(fd, 'file', 0o600)
  try {
    work(fd, file, path)
  } finally {
    close(file)
  }
}
