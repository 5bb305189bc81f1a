/** How a new layer is packed. */
import { describe, expect, test } from 'vitest'
import { choosePacking } from '../../../src/engine/edit/packing.ts'
import { digestOf } from '../../../src/image/digest.ts'
import { layerMediaType, OCI_CONFIG, OCI_MANIFEST } from '../../../src/image/media-types.ts'
import type { Compression } from '../../../src/image/media-types.ts'
import type { Descriptor } from '../../../src/image/types.ts'

function descriptorOf(mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(Buffer.alloc(0)), size: 0 }
}

function packingAbove(below: readonly Compression[], level?: number): Compression {
  const layers = below.map((name) => descriptorOf(layerMediaType(name)))
  const manifest = { schemaVersion: 2 as const, config: descriptorOf(OCI_CONFIG), layers }
  const settings = { compress: 'auto', level, jobs: 1, signal: undefined } as const
  return choosePacking({ manifest, descriptorPath: [descriptorOf(OCI_MANIFEST)] }, settings)
    .compression
}

describe('choosePacking', () => {
  test.each([
    [[], 'gzip'],
    [['none'], 'gzip'],
    [['gzip', 'zstd'], 'zstd'],
    [['zstd', 'gzip'], 'gzip'],
    [['zstd', 'none'], 'zstd']
  ] as const)('above %j is %s', (below, compression) => {
    expect(packingAbove(below)).toBe(compression)
  })

  test('refuses a level that the format does not have', () => {
    expect(() => packingAbove(['gzip'], 10)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
