/** Many threads see the tree that one sees, in threads of the built program. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ByteString } from '../../../src/bytes.ts'
import { walk } from '../../../src/rootfs/walk.ts'
import { readXattrs } from '../../../src/rootfs/xattrs.ts'
import { AT_FDCWD } from '../../../src/sys/files.ts'
import { makeSpecial, readSymlink } from '../../../src/sys/names.ts'
import { scanTree } from '../../support/dist.ts'
import { withOpen, withOpenAsync } from '../../support/open-directory.ts'
import { needs } from '../../support/requires.ts'
import { makeTemporary, removeTemporary } from '../../support/temporary.ts'

const name = fc.constantFrom('a', 'b', '\xff', '\n', ' ', 'a b', '-', '...', 'x'.repeat(255))
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
const kind = fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'fifo')
const objects = fc.array(fc.record({ kind, path, other: path }), { maxLength: 40 })
const runs = Math.ceil(Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 30) / 3)

describe.each([1, 2, 3])('%i threads', (jobs) => {
  test('see what a walk sees, in random trees', async () => {
    await fc.assert(
      fc.asyncProperty(objects, fc.nat(10), (list, enough) =>
        inTemporary(async (root) => {
          for (const { kind, path, other } of list) make(root, kind, path, other)
          expect(await scanned(root, jobs, enough)).toEqual(walked(root))
        })
      ),
      { numRuns: runs }
    )
  })

  test('see sockets, and names of one file in several subtrees', async () => {
    await inTemporary(async (root) => {
      const server = createServer()
      try {
        for (const name of ['a', 'b', 'c']) fs.mkdirSync(`${root}/${name}/d`, { recursive: true })
        await new Promise<void>((done) => server.listen(`${root}/b/d/socket`, done))
        fs.writeFileSync(`${root}/a/f`, 'content')
        for (const name of ['b/f', 'c/d/f']) fs.linkSync(`${root}/a/f`, `${root}/${name}`)
        expect(await scanned(root, jobs, 1)).toEqual(walked(root))
      } finally {
        server.close()
      }
    })
  })

  test.runIf(needs('root', 'mount'))('go on below a mount, as a walk does', async () => {
    await inTemporary(async (root) => {
      fs.mkdirSync(`${root}/a/mounted`, { recursive: true })
      execFileSync('mount', ['-t', 'tmpfs', 'none', `${root}/a/mounted`])
      try {
        fs.mkdirSync(`${root}/a/mounted/d`)
        fs.writeFileSync(`${root}/a/mounted/d/f`, '')
        expect(await scanned(root, jobs, 1)).toEqual(walked(root))
      } finally {
        execFileSync('umount', [`${root}/a/mounted`])
      }
    })
  })

  test('name the directory that went away', async () => {
    await inTemporary(async (root) => {
      for (const name of ['a', 'b', 'c']) fs.mkdirSync(`${root}/${name}/d`, { recursive: true })
      const scanning = withOpenAsync(root, (fd) => {
        const result = scanTree(fd, { jobs, signal: undefined }, NOTHING, 1)
        fs.rmSync(`${root}/b`, { recursive: true })
        return result
      })
      await expect(scanning).rejects.toMatchObject({
        code: 'SYSCALL_FAILED',
        facts: { entry: 'b', call: expect.stringContaining('ENOENT') as unknown }
      })
    })
  })

  test('stop when they are told to', async () => {
    await inTemporary(async (root) => {
      for (const name of ['a', 'b']) fs.mkdirSync(`${root}/${name}`)
      const stop = new AbortController()
      const scanning = withOpenAsync(root, (fd) => {
        const result = scanTree(fd, { jobs, signal: stop.signal }, NOTHING, 1)
        stop.abort()
        return result
      })
      await expect(scanning).rejects.toMatchObject({ code: 'ABORTED' })
    })
  })
})

const NOTHING = (): undefined => undefined

async function scanned(root: string, jobs: number, enough: number): Promise<unknown[]> {
  const [tree] = await withOpenAsync(root, (fd) =>
    scanTree(fd, { jobs, signal: undefined }, NOTHING, enough)
  )
  const found = [...tree.inTreeManifestOrder()].map(({ path, status, link, unlisted }) => {
    return { path, status: { ...status, ...UNSTABLE }, link, unlisted: [...unlisted] }
  })
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function walked(root: string): unknown[] {
  return withOpen(root, (fd) => {
    const found = Array.from(walk(fd, new Set()), ({ path, status, directory, name }) => {
      const isListed = status.type === 'file' || status.type === 'directory'
      return {
        path: path === '' ? '.' : path,
        status: { ...status, ...UNSTABLE },
        link: status.type === 'symlink' ? readSymlink(directory, name) : undefined,
        unlisted: isListed ? [] : readXattrs(directory, name)
      }
    })
    return found.sort((a, b) => (a.path < b.path ? -1 : 1))
  })
}

/** Reading a directory or a link moves these. */
const UNSTABLE = { atimeSec: 0, atimeNsec: 0 }

/** What cannot be made where it is wanted is left out. */
function make(root: string, kind: string, path: ByteString, other: ByteString): void {
  const at = latin1(`${root}/${path}`)
  try {
    fs.mkdirSync(latin1(`${root}/${path}`.replace(/\/[^/]*$/, '')), { recursive: true })
    if (kind === 'file')
      fs.writeFileSync(at, path, { flag: 'wx' }) // never opens a FIFO, which would wait
    else if (kind === 'directory') fs.mkdirSync(at)
    else if (kind === 'symlink') fs.symlinkSync(latin1(other), at)
    else if (kind === 'hardlink') fs.linkSync(latin1(`${root}/${other}`), at)
    else makeSpecial(AT_FDCWD, `${root}/${path}`, 'fifo', 0o600, 0, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

function latin1(path: ByteString): Buffer {
  return Buffer.from(path, 'latin1')
}

async function inTemporary(work: (root: string) => Promise<void>): Promise<void> {
  const root = makeTemporary()
  try {
    await work(root)
  } finally {
    removeTemporary(root)
  }
}
