/** The tree manifest of a tree that was just made says the same, however many threads look at it. */
import { chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fingerprintsFile, treeManifestFile } from '../../src/bundle/files.ts'
import type { MtreeNode } from '../../src/mtree/entry.ts'
import { formatTreeManifest } from '../../src/mtree/write.ts'
import { fold } from '../../src/plan/fold.ts'
import { bareEntry } from '../../src/plan/staged-entry.ts'
import { newTree, STAGED_NODES, type Directory } from '../../src/plan/tree.ts'
import { AS_SEEN } from '../../src/plan/outside.ts'
import { close, openDirectory } from '../../src/sys/files.ts'
import { HEADER } from '../mtree/builders.ts'
import { writeSurvey } from '../support/dist.ts'

const DIGEST = `sha256:${'0'.repeat(64)}`
const SHA256 = '\xab'.repeat(32)
const AT_CWD = -100
const ENOUGH_FOR_PARTS = 2500

const work = mkdtempSync(join(tmpdir(), 'write-survey-'))
const rootfs = join(work, 'rootfs')

beforeAll(() => {
  for (const path of ['', 'a', 'a/c', 'b', 'b/a', 'b/a/d', 'e', 'é']) makeDirectory(path)
  for (let index = 0; index < ENOUGH_FOR_PARTS; index++) {
    writeFileSync(join(rootfs, 'a', `file-${index}`), 'x')
    writeFileSync(join(rootfs, 'b/a', `another file ${index}`), '')
  }
  symlinkSync('a/file-0', join(rootfs, 'e/link'))
})

afterAll(() => rmSync(work, { recursive: true }))

/** Owners change from one part to the next, or do not. */
function makeDirectory(path: string): void {
  mkdirSync(join(rootfs, path))
  if (process.getuid!() === 0 && path.startsWith('b')) chownSync(join(rootfs, path), 7, 8)
}

test.each([0, 1, 2])('with %i threads', async (jobs) => {
  const { text } = await survey(jobs)
  const expected = [...formatTreeManifest(node('.', rootfs), HEADER)].join('')
  expect(lines(text)).toEqual(lines(expected))
})

test('and so do its fingerprints', async () => {
  const [alone, shared] = [await survey(0), await survey(2)]
  expect(shared.records.equals(alone.records)).toBe(true)
  expect(alone.records.length).toBe(40 * (2 * ENOUGH_FOR_PARTS + 8 + 1))
})

async function survey(jobs: number): Promise<{ text: string; records: Buffer }> {
  const path = mkdtempSync(join(work, 'out-'))
  const fd = openDirectory(AT_CWD, rootfs)
  try {
    const place = {
      path,
      destination: work,
      digest: DIGEST,
      rootfs: fd,
      isLazy: false,
      outside: AS_SEEN
    }
    const options = { jobs, signal: undefined }
    await writeSurvey(merged(), { ...place, ledger: undefined }, options)
  } finally {
    close(fd)
  }
  return {
    text: readFileSync(join(path, treeManifestFile(DIGEST)), 'latin1'),
    records: readFileSync(join(path, fingerprintsFile(DIGEST))).subarray(72)
  }
}

function merged(): Directory {
  const tree = newTree(STAGED_NODES)
  const add = (path: string): void => {
    for (const name of readdirSync(join(rootfs, path)).reverse()) {
      const below = Buffer.from(join(path, name)).toString('latin1')
      const { type, link, sha256, children } = node(name, join(rootfs, path, name))
      const entry = {
        ...bareEntry('hardlink', below),
        link: link ?? '',
        ...(sha256 && { sha256: SHA256 })
      }
      const kind = type === 'dir' ? 'directory' : type === 'link' ? 'symlink' : 'file'
      fold(tree, 0, { ...entry, type: kind }, { keepDirlinks: false })
      if (children !== undefined) add(join(path, name))
    }
  }
  add('')
  return tree.root
}

function node(name: string, path: string): MtreeNode {
  const status = lstatSync(path)
  const { size, uid, gid, mode, nlink, mtimeMs } = status
  const common = { name: Buffer.from(name).toString('latin1'), size, uid, gid, nlink }
  const rest = { mode: mode & 0o7777, mtimeSec: Math.floor(mtimeMs / 1000) }
  if (status.isSymbolicLink()) return { ...common, ...rest, type: 'link', link: 'a/file-0' }
  if (!status.isDirectory()) return { ...common, ...rest, type: 'file', sha256: 'ab'.repeat(32) }
  const children = readdirSync(path).map((child) => node(child, join(path, child)))
  return { ...common, ...rest, type: 'dir', children }
}

/** Without the comments at the head. */
function lines(text: string): string[] {
  return text.split('\n').slice(6)
}
