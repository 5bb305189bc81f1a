import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { readRegularFile } from '../../src/sys/read-file.ts'
import { status } from '../../src/sys/status.ts'
import { errnoOf } from '../support/errno.ts'
import { withScratch } from '../support/open-directory.ts'

test('a status is what node:fs says, without following a link', () => {
  withScratch((fd, path) => {
    fs.writeFileSync(`${path}/file`, 'body')
    fs.linkSync(`${path}/file`, `${path}/second`)
    fs.symlinkSync('file', `${path}/link`)
    fs.mkdirSync(`${path}/directory`)
    spawnSync('mkfifo', [`${path}/fifo`])
    for (const name of ['file', 'link', 'directory', 'fifo', '']) {
      const expected = fs.lstatSync(name === '' ? path : `${path}/${name}`, { bigint: true })
      expect(factsOf(fd, name)).toEqual({
        type: typeOf(expected),
        mode: Number(expected.mode & 0o7777n),
        nlink: Number(expected.nlink),
        uid: Number(expected.uid),
        gid: Number(expected.gid),
        size: Number(expected.size),
        blocks: Number(expected.blocks),
        inode: expected.ino,
        mtime: expected.mtimeNs,
        ctime: expected.ctimeNs,
        atime: expected.atimeNs
      })
    }
  })
})

test('a size beyond 32 bits is exact', () => {
  withScratch((fd, path) => {
    const size = 2 ** 33 + 1
    fs.closeSync(fs.openSync(`${path}/big`, 'w'))
    fs.truncateSync(`${path}/big`, size)
    expect(status(fd, 'big').size).toBe(size)
  })
})

test('the device tells file systems apart', () => {
  withScratch((fd) => {
    expect(status(fd, '').device).not.toBe(status(fd, '../../../../../../proc/self').device)
  })
})

test('a socket is a type of its own', async () => {
  const path = fs.mkdtempSync('/tmp/oci-unpack-')
  const server = createServer().listen(`${path}/socket`)
  await new Promise((resolve) => server.once('listening', resolve))
  const fd = fs.openSync(path, 'r')
  expect(status(fd, 'socket').type).toBe('socket')
  fs.closeSync(fd)
  await new Promise((resolve) => server.close(resolve))
  fs.rmSync(path, { recursive: true })
})

test('what is not there is a failed call', () => {
  withScratch((fd, path) => {
    fs.writeFileSync(`${path}/file`, '')
    expect(errnoOf(() => status(fd, 'missing'))).toBe('ENOENT')
    expect(errnoOf(() => status(fd, 'file/x'))).toBe('ENOTDIR')
  })
})

describe('reading a regular file', () => {
  test('gives its bytes, up to the limit', () => {
    withScratch((fd, path) => {
      fs.writeFileSync(`${path}/file`, Buffer.from([0, 255, 10]))
      expect(readRegularFile(fd, 'file', 3)).toBe('\0\xff\n')
      expect(readRegularFile(fd, 'file', 2)).toBeUndefined()
    })
  })

  test('does not wait for a FIFO, follow a link or read a directory', () => {
    withScratch((fd, path) => {
      spawnSync('mkfifo', [`${path}/fifo`])
      fs.mkdirSync(`${path}/directory`)
      fs.writeFileSync(`${path}/file`, 'secret')
      fs.symlinkSync('file', `${path}/link`)
      expect(readRegularFile(fd, 'fifo', 10)).toBeUndefined()
      expect(readRegularFile(fd, 'directory', 10)).toBeUndefined()
      expect(errnoOf(() => readRegularFile(fd, 'link', 10))).toBe('ELOOP')
    })
  })
})

function factsOf(fd: number, name: string): object {
  const { type, mode, nlink, uid, gid, size, blocks, inode, ...times } = status(fd, name)
  return {
    ...{ type, mode, nlink, uid, gid, size, blocks, inode },
    mtime: nanoseconds(times.mtimeSec, times.mtimeNsec),
    ctime: nanoseconds(times.ctimeSec, times.ctimeNsec),
    atime: nanoseconds(times.atimeSec, times.atimeNsec)
  }
}

function nanoseconds(sec: number, nsec: number): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec)
}

function typeOf(found: fs.BigIntStats): string {
  if (found.isFile()) return 'file'
  if (found.isDirectory()) return 'directory'
  return found.isFIFO() ? 'fifo' : 'symlink'
}
