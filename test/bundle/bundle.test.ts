import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readMemory, readMetadata, readUnheld, type Memory } from '../../src/bundle/bundle.ts'
import { unheldFile } from '../../src/bundle/files.ts'
import { formatUnheld } from '../../src/bundle/unheld.ts'
import { fingerprintsFile, treeManifestFile } from '../../src/bundle/files.ts'
import { encodeFingerprints } from '../../src/bundle/fingerprints.ts'
import { formatMetadata } from '../../src/bundle/metadata.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const MANIFEST = Buffer.from('. type=dir size=0\nf\\377 type=file size=5\n..\n')
const STAT = {
  dev: 1,
  ino: 2,
  size: 5,
  mtime: { sec: 1, nsec: 1 },
  ctime: { sec: 1, nsec: 1 }
}

function bundle(): Map<string, Uint8Array> {
  const metadata = {
    descriptorWalk: [{ mediaType: 'm', digest: DIGEST, size: 1 }],
    uidMaps: [],
    gidMaps: [],
    rootless: false
  }
  const manifestSha256 = createHash('sha256').update(MANIFEST).digest('hex')
  const header = { device: 1, scannedAt: { sec: 9, nsec: 9 }, manifestSha256 }
  return new Map<string, Uint8Array>([
    ['umoci.json', Buffer.from(formatMetadata(metadata))],
    [treeManifestFile(DIGEST), MANIFEST],
    [fingerprintsFile(DIGEST), encodeFingerprints(header, [undefined, STAT])]
  ])
}

function memoryOf(files: ReadonlyMap<string, Uint8Array>): Memory {
  const read = (name: string): Uint8Array | undefined => files.get(name)
  return readMemory(read, readMetadata(read))
}

describe('a bundle', () => {
  test('names its files after the image manifest', () => {
    expect([...bundle().keys()]).toEqual([
      'umoci.json',
      `sha256_${'ab'.repeat(32)}.mtree`,
      `sha256_${'ab'.repeat(32)}.fingerprints`
    ])
  })

  test('knows which objects did not change', () => {
    const memory = memoryOf(bundle())
    expect([0, 1].map((index) => memory.entries.path(index))).toEqual(['.', 'f\xff'])
    expect(memory.entries.entry(1)).toMatchObject({ path: 'f\xff', type: 'file', size: 5 })
    expect(memory.isUnchanged(1, STAT)).toBe(true)
    expect(memory.isUnchanged(1, { ...STAT, ino: 3 })).toBe(false)
    expect(memory.isUnchanged(0, STAT)).toBe(false)
  })

  test.each([
    ['absent', undefined],
    ['no-fingerprints', Buffer.from('damaged')]
  ])('does without fingerprints that are %s, as in a bundle of umoci', (reason, bytes) => {
    const files = bundle()
    if (bytes === undefined) files.delete(fingerprintsFile(DIGEST))
    else files.set(fingerprintsFile(DIGEST), bytes)
    const memory = memoryOf(files)
    expect(memory.fingerprints).toBe(reason)
    expect(memory.entries.entry(1)).toMatchObject({ path: 'f\xff', size: 5 })
    expect(memory.isUnchanged(1, STAT)).toBe(false)
    expect(memory.record(1)).toBeUndefined()
  })

  test('does not take fingerprints for a manifest that was changed after them', () => {
    const files = bundle().set(
      treeManifestFile(DIGEST),
      Buffer.concat([MANIFEST, Buffer.from('\n')])
    )
    expect(memoryOf(files).fingerprints).toBe('other-manifest')
  })

  test('does not take fingerprints of more or fewer objects than the manifest has', () => {
    const prints = bundle().get(fingerprintsFile(DIGEST))!
    const fewer = Buffer.from(prints.subarray(0, -40))
    fewer.writeUInt32LE(1, 12)
    const memory = memoryOf(bundle().set(fingerprintsFile(DIGEST), fewer))
    expect([memory.fingerprints, memory.entries.count]).toEqual(['other-manifest', 2])
  })

  test('reads a manifest whole that no fingerprints vouch for', () => {
    const files = bundle().set(treeManifestFile(DIGEST), Buffer.from('. type=dir\nf size=x\n..\n'))
    expect(() => memoryOf(files)).toThrow(expect.objectContaining({ code: 'MTREE_INVALID' }))
  })

  test.each(['umoci.json', treeManifestFile(DIGEST)])(
    'says what to do where %s is missing',
    (missing) => {
      const files = bundle()
      files.delete(missing)
      expect(() => memoryOf(files)).toThrow(
        expect.objectContaining({ code: 'BUNDLE_INVALID', facts: { file: missing } })
      )
    }
  )
})

test.each([
  ['its own', ['own'], 'own'],
  ['its own, beside that of an image before', ['before', 'own'], 'own'],
  ['that of an image before, which another program has refreshed', ['before'], 'before'],
  ['none where it cannot be known which', ['before', 'earlier'], undefined],
  ['none', [], undefined]
])('what the disk does not hold is read from %s', (_which, there, expected) => {
  const digest = (name: string): string =>
    `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`
  const files = new Map(there.map((name) => [unheldFile(digest(name)), name]))
  const read = (file: string): Buffer | undefined =>
    files.has(file)
      ? Buffer.from(formatUnheld({ device: 1, inode: files.get(file)!, objects: [] }))
      : undefined
  const metadata = {
    descriptorWalk: [{ mediaType: 'm', digest: digest('own'), size: 1 }],
    uidMaps: [],
    gidMaps: [],
    rootless: true
  }
  expect(readUnheld(read, ['umoci.json', ...files.keys()], metadata)?.inode).toBe(expected)
})
