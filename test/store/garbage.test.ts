import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DIGEST_ALGORITHMS, digestOf, type Digest } from '../../src/image/digest.ts'
import type { Descriptor } from '../../src/image/types.ts'
import { findGarbage, tryCollectGarbage } from '../../src/store/garbage.ts'
import { tryOwnBlobs, useBlobs, whileInUse } from '../../src/store/blobs-lock.ts'
import { openLayout } from '../../src/store/layout.ts'
import { openWorkspace } from '../../src/store/layout-workspace.ts'
import { putBlob } from '../../src/store/write.ts'
import { failureCode } from '../image/errors.ts'
import { noPause } from '../support/no-pause.ts'
import { buildLayout, type TestLayout } from './build-layout.ts'

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

let built: TestLayout
beforeEach(() => {
  built = buildLayout()
})
afterEach(() => built.remove())

function collected(): string[] {
  const garbage = tryCollectGarbage(openLayout(built.path))
  if (garbage === undefined) throw new Error('the layout is in use')
  return garbage.blobs.map(({ digest }) => digest)
}

function present(): string[] {
  return readdirSync(join(built.path, 'blobs/sha256')).map((name) => `sha256:${name}`)
}

function json(value: unknown, mediaType: string): Descriptor {
  return built.blob(JSON.stringify(value), mediaType)
}

function lose({ digest }: Descriptor): void {
  rmSync(built.pathOf(digest))
}

describe('what leads to a blob', () => {
  test('is an image, tagged or not', () => {
    const untagged = built.image({ layers: ['untagged'] })
    built.tag({ t: built.image() })
    const index = openLayout(built.path).readIndex()
    const manifests = [...index.manifests, untagged]
    writeFileSync(join(built.path, 'index.json'), JSON.stringify({ ...index, manifests }))
    const kept = present()
    const loose = built.blob('loose', 'text/plain')
    expect(collected()).toEqual([loose.digest])
    expect(present().sort()).toEqual(kept.sort())
  })

  test('is an index in an index, and each of its images', () => {
    built.tag({ t: built.index([built.index([built.image(), built.image({ layers: ['b'] })])]) })
    expect(collected()).toEqual([])
  })

  test('is a Docker manifest, with its config and layers', () => {
    const config = json({}, 'application/vnd.docker.container.image.v1+json')
    const layer = built.blob('x', 'application/vnd.docker.image.rootfs.diff.tar.gzip')
    built.tag({ t: json({ schemaVersion: 2, config, layers: [layer] }, DOCKER_MANIFEST) })
    expect(collected()).toEqual([])
  })

  test('is the subject of an artifact or of an index', () => {
    const empty = json({}, 'application/vnd.oci.empty.v1+json')
    const subject = built.image()
    const artifact = { schemaVersion: 2, config: empty, layers: [empty] }
    built.tag({ t: json({ ...artifact, subject }, MANIFEST) })
    expect(collected()).toEqual([])
    const index = { schemaVersion: 2, manifests: [], subject }
    built.tag({ t: json(index, 'application/vnd.oci.image.index.v1+json') })
    expect(collected()).not.toContain(subject.digest)
    expect(present()).toContain(subject.digest)
  })

  test('is a document of an unknown type that mentions it, also by way of what it mentions', () => {
    const blob = built.blob('content', 'application/octet-stream')
    const image = built.image()
    const other = { blobs: [{ ...image, size: image.size }], note: [blob.digest] }
    built.tag({ t: json(other, 'application/vnd.oci.artifact.manifest.v1+json') })
    expect(collected()).toEqual([])
  })

  test('is nothing that is absent: a layout need not hold all', () => {
    const image = built.image()
    const missing = built.image({ layers: ['other'] })
    const subject = built.image({ layers: ['subject'] })
    const config = json({}, 'application/vnd.oci.empty.v1+json')
    const artifact = json({ schemaVersion: 2, config, layers: [], subject }, MANIFEST)
    built.tag({ t: built.index([image, missing]), artifact })
    for (const absent of [missing, subject, config]) lose(absent)
    expect(collected()).toHaveLength(4)
    expect(present()).toContain(image.digest)
    expect(present()).toContain(artifact.digest)
  })
})

describe('what a manifest has as content', () => {
  test('leads nowhere, also where it is damaged or does not fit', () => {
    const config = json({ architecture: 7 }, 'application/vnd.oci.image.config.v1+json')
    const other = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }
    const misfit = json(other, 'application/vnd.oci.image.config.v1+json')
    const layer = built.blob('x', 'application/vnd.oci.image.layer.v1.tar')
    const image = (it: Descriptor): Descriptor =>
      json({ schemaVersion: 2, config: it, layers: [layer] }, MANIFEST)
    built.tag({ t: built.index([image(config), image(misfit)]) })
    expect(collected()).toEqual([])
  })

  test('leads nowhere, though it is JSON that mentions digests', () => {
    const loose = built.blob('loose', 'text/plain')
    const statement = json({ about: loose.digest }, 'application/vnd.in-toto+json')
    const empty = json({}, 'application/vnd.oci.empty.v1+json')
    built.tag({ t: json({ schemaVersion: 2, config: empty, layers: [statement] }, MANIFEST) })
    expect(collected()).toEqual([loose.digest])
    expect(present()).toContain(statement.digest)
  })
})

describe('nothing is removed', () => {
  test('where a document is damaged', () => {
    const image = built.image()
    built.tag({ t: image })
    built.blob('loose', 'text/plain')
    writeFileSync(built.pathOf(image.digest), ' '.repeat(image.size))
    const before = present()
    expect(failureCode(() => collected())).toBe('BLOB_DIGEST_MISMATCH')
    expect(present()).toEqual(before)
  })

  test('that is no blob by its name or kind', () => {
    built.tag({ t: built.image() })
    const sha256 = join(built.path, 'blobs/sha256')
    const foreign = ['README', '.tmp-1', 'ab'.repeat(31), 'AB'.repeat(32), 'zz'.repeat(32)]
    for (const name of foreign) writeFileSync(join(sha256, name), 'x')
    mkdirSync(join(sha256, 'cd'.repeat(32)))
    symlinkSync('README', join(sha256, 'ef'.repeat(32)))
    mkdirSync(join(built.path, 'blobs/blake3'))
    writeFileSync(join(built.path, 'blobs/blake3', 'ab'.repeat(32)), 'x')
    writeFileSync(join(built.path, 'oci-put-blob12'), 'x')
    writeFileSync(join(built.path, '.umoci-file'), 'x')
    const before = present()
    expect(collected()).toEqual([])
    expect(present()).toEqual(before)
    expect(readdirSync(join(built.path, 'blobs/blake3'))).toHaveLength(1)
    expect(readdirSync(built.path)).toEqual(
      expect.arrayContaining(['oci-put-blob12', '.umoci-file'])
    )
  })

  test('of what is only looked for', () => {
    const loose = built.blob('loose', 'text/plain')
    mkdirSync(join(built.path, '.umoci-dead'))
    expect(findGarbage(openLayout(built.path))).toEqual({
      blobs: [{ digest: loose.digest, size: 5 }],
      workspaces: ['.umoci-dead']
    })
    expect(present()).toEqual([loose.digest])
    expect(existsSync(join(built.path, '.umoci-dead'))).toBe(true)
  })
})

test('collects blobs of every algorithm that is known', () => {
  for (const algorithm of DIGEST_ALGORITHMS) {
    const directory = join(built.path, 'blobs', algorithm)
    mkdirSync(directory, { recursive: true })
    const digest: Digest = digestOf(Buffer.from('x'), algorithm)
    writeFileSync(join(directory, digest.split(':')[1]!), 'x')
  }
  expect(collected().map((digest) => digest.split(':')[0])).toEqual(DIGEST_ALGORITHMS)
})

describe('beside other work', () => {
  test('waits for who uses the blobs, and they for nobody', async () => {
    const layout = openLayout(built.path)
    const loose = built.blob('loose', 'text/plain')
    await whileInUse(built.path, noPause, async () => {
      expect(tryCollectGarbage(layout)).toBeUndefined()
      ;(await useBlobs(built.path, noPause)).release()
      await Promise.resolve()
    })
    expect(collected()).toEqual([loose.digest])
  })

  test('does not take a blob that is stored and not yet named', async () => {
    const layout = openLayout(built.path)
    const workspace = await openWorkspace(built.path, noPause)
    const { digest } = putBlob(workspace, Buffer.from('about to be named'))
    expect(tryCollectGarbage(layout)).toBeUndefined()
    expect(present()).toEqual([digest])
    workspace.close()
    expect(collected()).toEqual([digest])
  })

  test('lets nobody store a blob while it runs', async () => {
    const owning = (): number | null =>
      spawnSync('flock', ['-n', '-x', join(built.path, 'blobs'), 'true']).status
    expect(owning()).toBe(0)
    const workspace = await openWorkspace(built.path, noPause)
    expect(owning()).toBe(1)
    workspace.close()
    expect(owning()).toBe(0)
  })

  test('keeps a writer waiting, who may give up', async () => {
    const collection = tryOwnBlobs(built.path)!
    const giveUp = (): Promise<void> => Promise.reject(new Error('given up'))
    await expect(openWorkspace(built.path, giveUp)).rejects.toThrow('given up')
    expect(readdirSync(built.path).filter((name) => name.startsWith('.'))).toEqual([])
    const pause = vi.fn(async () => {
      collection.release()
      await Promise.resolve()
    })
    const workspace = await openWorkspace(built.path, pause)
    expect(pause).toHaveBeenCalledOnce()
    workspace.close()
  })

  test('waits for a umoci, which locks only its workspace', async () => {
    const loose = built.blob('loose', 'text/plain')
    const live = join(built.path, '.umoci-live')
    mkdirSync(live)
    mkdirSync(join(built.path, '.umoci-dead'))
    const holder = spawn('flock', ['-x', live, 'sh', '-c', 'echo locked; cat'])
    try {
      await once(holder.stdout, 'data')
      expect(tryCollectGarbage(openLayout(built.path))).toBeUndefined()
      expect(findGarbage(openLayout(built.path)).workspaces).toEqual(['.umoci-dead'])
      expect(present()).toEqual([loose.digest])
    } finally {
      holder.stdin.end()
      await once(holder, 'close')
    }
    const garbage = tryCollectGarbage(openLayout(built.path))
    expect(garbage?.workspaces).toEqual(['.umoci-dead', '.umoci-live'])
    expect(readdirSync(built.path).filter((name) => name.startsWith('.umoci'))).toEqual([])
  })
})
