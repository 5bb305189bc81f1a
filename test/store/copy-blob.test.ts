import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import type { BlobSource } from '../../src/store/blob-source.ts'
import { copyBlob, type CopyOutcome } from '../../src/store/copy-blob.ts'
import { openOrCreateLayout, type WritableLayout } from '../../src/store/new-layout.ts'
import { noPause } from '../support/no-pause.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const BYTES = Buffer.alloc((2 << 20) + 5, 'some content')
const DIGEST = digestOf(BYTES)
const go = (): Promise<void> => Promise.resolve()

let work: string
beforeEach(() => {
  work = makeTemporary()
})
afterEach(() => removeTemporary(work))

function source(directory: string, bytes = BYTES): BlobSource {
  writeFileSync(`${directory}/blob`, bytes)
  return { digest: DIGEST, size: BYTES.length, path: `${directory}/blob` }
}

/** Copies into the layout, which is published where that succeeds. */
async function into(path: string, from: BlobSource, pause = go): Promise<CopyOutcome> {
  const layout: WritableLayout = await openOrCreateLayout(path, noPause)
  try {
    const outcome = await copyBlob(layout.workspace, from, pause)
    layout.publish()
    return outcome
  } finally {
    layout.discard()
  }
}

function blob(layout: string): string {
  return `${layout}/blobs/sha256/${DIGEST.slice('sha256:'.length)}`
}

describe('a copied blob', () => {
  test('is what it was, and is not copied again', async () => {
    expect(await into(`${work}/l`, source(work))).not.toBe('present')
    expect(readFileSync(blob(`${work}/l`))).toEqual(BYTES)
    rmSync(`${work}/blob`)
    const gone = { digest: DIGEST, size: BYTES.length, path: `${work}/blob` }
    expect(await into(`${work}/l`, gone)).toBe('present')
  })

  test('may have a digest of sha512', async () => {
    const digest = digestOf(BYTES, 'sha512')
    await into(`${work}/l`, { ...source(work), digest })
    expect(readdirSync(`${work}/l/blobs/sha512`)).toEqual([digest.slice('sha512:'.length)])
  })

  test.each([
    ['damaged', Buffer.from(BYTES).fill('x', 7, 8), 'BLOB_DIGEST_MISMATCH'],
    ['shorter', BYTES.subarray(1), 'BLOB_SIZE_MISMATCH']
  ])('that is %s leaves nothing', async (_name, bytes, code) => {
    await expect(into(`${work}/l`, source(work, bytes))).rejects.toMatchObject({ code })
    expect(readdirSync(work)).toEqual(['blob'])
  })

  test('that is interrupted leaves an existing layout as it was', async () => {
    ;(await openOrCreateLayout(`${work}/l`, noPause)).publish()
    let chunks = 0
    const pause = (): Promise<void> =>
      ++chunks > 2 ? Promise.reject(new Error('stop')) : Promise.resolve()
    await expect(into(`${work}/l`, source(work), pause)).rejects.toThrow('stop')
    expect(readdirSync(`${work}/l`).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect(readdirSync(`${work}/l/blobs/sha256`)).toEqual([])
  })
})

test('a new layout cannot be seen before it is published', async () => {
  const layout = await openOrCreateLayout(`${work}/l`, noPause)
  expect(readdirSync(work)).toEqual([expect.stringMatching(/^\.l\.oci-unpack-/)])
  layout.publish()
  layout.discard()
  expect(readdirSync(work)).toEqual(['l'])
  mkdirSync(`${work}/plain`)
  expect(statSync(`${work}/l`).mode).toBe(statSync(`${work}/plain`).mode)
})

test.runIf(needs('root'))('what root puts into a layout belongs to its owner', async () => {
  ;(await openOrCreateLayout(`${work}/l`, noPause)).publish()
  ok('chown', '-R', '1000:1001', `${work}/l`)
  await into(`${work}/l`, source(work))
  expect(statSync(blob(`${work}/l`))).toMatchObject({ uid: 1000, gid: 1001 })
})

describe.runIf(needs('root', 'loop', 'mkfs.xfs', 'mount'))('where the file system can', () => {
  let mount: string
  beforeEach(() => {
    mount = `${work}/mount`
    mkdirSync(mount)
    ok('truncate', '-s', '320M', `${work}/disk`)
    ok('mkfs.xfs', '-q', '-m', 'reflink=1', `${work}/disk`)
    ok('mount', '-o', 'loop', `${work}/disk`, mount)
  })
  afterEach(() => {
    ok('umount', mount)
  })

  test('a blob is cloned, and the clone is verified', async () => {
    expect(await into(`${mount}/l`, source(mount))).toBe('cloned')
    expect(readFileSync(blob(`${mount}/l`))).toEqual(BYTES)
    rmSync(`${mount}/l`, { recursive: true })
    const damaged = Buffer.from(BYTES).fill('x', 7, 8)
    await expect(into(`${mount}/l`, source(mount, damaged))).rejects.toMatchObject({
      code: 'BLOB_DIGEST_MISMATCH'
    })
    expect(readdirSync(mount)).toEqual(['blob'])
  })

  test('a blob from another file system is copied', async () => {
    expect(await into(`${mount}/l`, source(work))).toBe('copied')
    expect(readFileSync(blob(`${mount}/l`))).toEqual(BYTES)
  })
})
