/** What is set aside as bytes is what a comparison of decoded objects calls unchanged. */
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMemory, type Memory } from '../../../src/bundle/bundle.ts'
import { fileStat } from '../../../src/bundle/file-stat.ts'
import { writeScannedTreeManifest } from '../../../src/engine/bundle/scanned-tree-manifest.ts'
import { siftTree } from '../../../src/engine/changes/sift-tree.ts'
import { AS_SEEN } from '../../../src/plan/outside.ts'
import { NONE } from '../../../src/plan/seen-tree.ts'
import type { ScannedTree } from '../../../src/rootfs/scanned-tree.ts'
import { withScratch } from '../../support/open-directory.ts'
import { scan } from '../../support/scan.ts'
import { makeTemporary, removeTemporary } from '../../support/temporary.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`

/** Some of them are encoded in a tree manifest. */
const name = fc.constantFrom('a', 'a-', 'ab', 'b c', 'x\\y', 'x\\\\y', 'x', '#z', '\xff')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
const kind = fc.constantFrom('file', 'file', 'directory', 'symlink', 'link', 'nothing')
const edits = fc.array(fc.record({ path, kind }), { maxLength: 14 })

test('what is set aside is what has not changed, in every tree', () => {
  fc.assert(
    fc.property(edits, edits, fc.boolean(), (before, after, isSettled) =>
      withScratch((fd, root) => {
        for (const { path, kind } of before) edit(root, path, kind)
        const memory = memoryOf(fd, scan(fd), isSettled)
        for (const { path, kind } of after.slice(0, 3)) edit(root, path, kind)
        expectSifted(scan(fd), memory)
      })
    ),
    { numRuns: 60 }
  )
})

function expectSifted(tree: ScannedTree, memory: Memory): void {
  const numbers = Array.from({ length: memory.entries.count }, (_, index) => index)
  const indexes = new Map(numbers.map((index) => [memory.entries.path(index), index]))
  const objects = [...tree.inTreeManifestOrder()]
  const setAside = new Map(
    objects.map(({ path, number, status, unlisted }) => {
      const index = indexes.get(path) ?? NONE
      const isUnchanged = index !== NONE && memory.isUnchanged(index, fileStat(status, unlisted))
      return [number, isUnchanged ? index : NONE]
    })
  )
  const { indexes: found, others, linked } = siftTree(tree, memory)
  const paths = (some: readonly { path: string }[]): string[] => some.map(({ path }) => path)
  for (const { path, number } of objects) expect(found[number], path).toBe(setAside.get(number))
  expect(paths(others)).toEqual(
    paths(objects.filter(({ number }) => setAside.get(number) === NONE))
  )
  expect(paths(linked)).toEqual(
    paths(objects.filter(({ type, status }) => type !== 'directory' && status.nlink > 1))
  )
}

/** What a bundle remembers of the tree. @param isSettled whether its files count as older than the look at them */
function memoryOf(rootfs: number, tree: ScannedTree, isSettled: boolean): Memory {
  const directory = makeTemporary()
  const place = {
    path: directory,
    bundle: 'b',
    rootfs,
    ledger: undefined,
    isLazy: false,
    outside: AS_SEEN
  }
  const known = { tree, known: () => undefined, digests: new Map<string, string>() }
  const scannedAt = { sec: Math.floor(Date.now() / 1000) + (isSettled ? 100 : -100), nsec: 0 }
  try {
    writeScannedTreeManifest({ ...place, digest: DIGEST }, known, scannedAt)
    const descriptorWalk = [{ mediaType: 'm', digest: DIGEST, size: 1 }]
    const metadata = { descriptorWalk, uidMaps: [], gidMaps: [], rootless: false }
    const memory = readMemory((file) => readFileSync(join(directory, file)), metadata)
    expect(memory.plain).toBeDefined()
    return memory
  } finally {
    removeTemporary(directory)
  }
}

function edit(root: string, path: string, kind: string): void {
  const at = Buffer.from(`${root}/${path}`, 'latin1')
  const parent = Buffer.from(`${root}/${path}`.replace(/\/[^/]*$/, ''), 'latin1')
  try {
    rmSync(at, { recursive: true, force: true })
    if (kind === 'nothing') return
    mkdirSync(parent, { recursive: true })
    if (kind === 'file') writeFileSync(at, path)
    else if (kind === 'directory') mkdirSync(at)
    else if (kind === 'symlink') symlinkSync('target', at)
    else linkSync(`${root}/a`, at)
  } catch (error) {
    // Something stands where a directory would have to be, or there is no file `a`.
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}
