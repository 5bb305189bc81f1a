import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { memoryOf, readBundle } from '../../src/bundle/bundle.ts'
import { fingerprintsFile, manifestFile } from '../../src/bundle/files.ts'
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
    [manifestFile(DIGEST), MANIFEST],
    [fingerprintsFile(DIGEST), encodeFingerprints(header, [undefined, STAT])]
  ])
}

describe('readBundle', () => {
  it('names its files after the image manifest', () => {
    expect([...bundle().keys()]).toEqual([
      'umoci.json',
      `sha256_${'ab'.repeat(32)}.mtree`,
      `sha256_${'ab'.repeat(32)}.fingerprints`
    ])
  })

  it('finds entries of files that did not change', () => {
    const files = bundle()
    const find = memoryOf(readBundle((name) => files.get(name))).unchanged
    expect(find('f\xff', STAT)).toMatchObject({ path: 'f\xff', size: 5 })
    expect(find('f\xff', { ...STAT, ino: 3 })).toBeUndefined()
    expect(find('.', STAT)).toBeUndefined()
    expect(find('new', STAT)).toBeUndefined()
  })

  it.each([
    ['absent', undefined],
    ['no-fingerprints', Buffer.from('damaged')]
  ])('does without fingerprints that are %s, as in a bundle of umoci', (reason, bytes) => {
    const files = bundle()
    const state = readBundle((name) => (name.endsWith('prints') ? bytes : files.get(name)))
    expect(state.fingerprints).toBe(reason)
    expect(memoryOf(state).unchanged('f\xff', STAT)).toBeUndefined()
  })

  it('does not take fingerprints for a manifest that was changed after them', () => {
    const files = bundle().set(manifestFile(DIGEST), Buffer.concat([MANIFEST, Buffer.from('\n')]))
    expect(readBundle((name) => files.get(name)).fingerprints).toBe('other-manifest')
  })

  it.each(['umoci.json', manifestFile(DIGEST)])(
    'says what to do where %s is missing',
    (missing) => {
      const files = bundle()
      files.delete(missing)
      expect(() => readBundle((name) => files.get(name))).toThrow(
        expect.objectContaining({ code: 'BUNDLE_INVALID', facts: { file: missing } })
      )
    }
  )
})
