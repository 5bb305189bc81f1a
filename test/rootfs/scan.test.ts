import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { fileStat } from '../../src/bundle/file-stat.ts'
import { toMtreeEntry } from '../../src/rootfs/mtree-entry.ts'
import type { ScannedTree } from '../../src/rootfs/scanned-tree.ts'
import { Scanner } from '../../src/rootfs/scanner.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { setXattr } from '../../src/sys/metadata.ts'
import { failure } from '../support/failure.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'
import { scan } from '../support/scan.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

describe('a scanned tree', () => {
  test('comes in the order of a manifest, the root as a dot', () => {
    withScratch((fd, root) => {
      mkdirSync(`${root}/b/c`, { recursive: true })
      writeFileSync(`${root}/b/x`, '')
      writeFileSync(Buffer.from(`${root}/\xff`, 'latin1'), '')
      mkdirSync(`${root}/b-c`)
      expect(pathsOf(scan(fd))).toEqual(['.', '\xff', 'b', 'b/x', 'b/c', 'b-c'])
    })
  })

  test('gives what a manifest lists, and no digest', () => {
    withScratch((fd, root) => {
      writeFileSync(`${root}/file`, 'content')
      chmodSync(`${root}/file`, 0o4711)
      utimesSync(`${root}/file`, 5, 1_000_000_000)
      symlinkSync('target', `${root}/link`)
      lutimesSync(`${root}/link`, 5, 7)
      const entry = (path: string): unknown => toMtreeEntry(scan(fd).find(path)!, [])
      expect(entry('file')).toMatchObject({
        type: 'file',
        size: 7,
        mode: 0o4711,
        nlink: 1,
        mtimeSec: 1_000_000_000,
        sha256: undefined,
        link: undefined
      })
      expect(entry('link')).toMatchObject({ type: 'link', link: 'target', mtimeSec: 7 })
    })
  })

  test('finds every object by its path, and nothing else', () => {
    withScratch((fd, root) => {
      mkdirSync(`${root}/d/e`, { recursive: true })
      for (const name of ['a', 'ab', 'b', 'd/f', 'd/e/z']) writeFileSync(`${root}/${name}`, '')
      const tree = scan(fd)
      const paths = pathsOf(tree)
      expect(paths.map((path) => tree.find(path)?.path)).toEqual(paths)
      expect(new Set(paths.map((path) => tree.find(path)?.number)).size).toBe(tree.size)
      for (const path of ['aa', 'c', 'a/b', 'd/g', 'd/e/', 'x/y', ''])
        expect(tree.find(path), path).toBeUndefined()
    })
  })

  test.runIf(needs('root'))('sees attributes of a link in its fingerprint', () => {
    withScratch((fd, root) => {
      symlinkSync('target', `${root}/link`)
      const size = (): number => {
        const { status, unlisted } = scan(fd).find('link')!
        return fileStat(status, unlisted).size
      }
      const without = size()
      setXattr(AT_FDCWD, `${root}/link`, 'trusted.a', '1')
      const one = size()
      setXattr(AT_FDCWD, `${root}/link`, 'trusted.a', '2')
      expect(new Set([without, one, size()]).size).toBe(3)
    })
  })

  test('holds sockets as what they are', async () => {
    const root = makeTemporary()
    const server = createServer()
    try {
      await new Promise<void>((done) => server.listen(`${root}/socket`, done))
      const types = withOpen(root, (fd) =>
        [...scan(fd).inTreeManifestOrder()].map(({ type }) => type)
      )
      expect(types).toEqual(['directory', 'socket'])
    } finally {
      server.close()
      removeTemporary(root)
    }
  })

  test('of more than a batch is whole', () => {
    withScratch((fd, root) => {
      for (const name of ['a', 'b']) mkdirSync(`${root}/${name}`)
      for (let i = 0; i < 4100; i++) writeFileSync(`${root}/a/${i}`, '')
      writeFileSync(`${root}/b/f`, 'content')
      const tree = scan(fd)
      expect(new Set(pathsOf(tree)).size).toBe(4104)
      expect(tree.find('a/4099')?.status.size).toBe(0)
      expect(tree.find('b/f')?.status.size).toBe(7)
    })
  })
})

test('a directory that cannot be read is named', () => {
  withScratch((fd) => {
    const scanner = new Scanner(fd, () => undefined)
    const error = failure(() => scanner.directory('gone/too\n', () => undefined))
    expect(error?.code).toBe('SYSCALL_FAILED')
    expect(error?.facts).toMatchObject({ entry: 'gone/too\\x0a' })
    expect(error?.facts.call).toContain('ENOENT')
    scanner.release()
  })
})

function pathsOf(tree: ScannedTree): string[] {
  return [...tree.inTreeManifestOrder()].map(({ path }) => path)
}
