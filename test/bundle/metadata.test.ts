import { describe, expect, test } from 'vitest'
import { formatMetadata, parseMetadata, sourceManifest } from '../../src/bundle/metadata.ts'

const DESCRIPTOR = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: `sha256:${'ab'.repeat(32)}`,
  size: 345,
  annotations: { 'org.opencontainers.image.ref.name': 'b', 'x.y': '<&>' },
  vendor: { kept: [1] }
}

const DOCUMENT = {
  umoci_version: '2',
  from_descriptor_path: { descriptor_walk: [DESCRIPTOR] },
  map_options: {
    uid_mappings: [{ containerID: 0, hostID: 1000, size: 1 }] as unknown,
    gid_mappings: null,
    rootless: true
  }
}

describe('umoci.json', () => {
  test('reads back as it was written', () => {
    const metadata = {
      descriptorWalk: [DESCRIPTOR, { ...DESCRIPTOR, size: 1 }],
      uidMaps: [{ containerId: 0, hostId: 100_000, size: 65_536 }],
      gidMaps: [],
      rootless: false
    }
    expect(parseMetadata(formatMetadata(metadata))).toEqual(metadata)
  })

  test("is written in umoci's shape", () => {
    const text = JSON.stringify(DOCUMENT).replace('<&>', '\\u003c\\u0026\\u003e')
    expect(formatMetadata(parseMetadata(text))).toBe(`${text}\n`)
  })

  test('may have the legacy whiteout mode of 0, unknown fields, or no maps', () => {
    const text = JSON.stringify({ ...DOCUMENT, map_options: undefined, whiteout_mode: 0, x: 1 })
    expect(parseMetadata(text)).toMatchObject({ uidMaps: [], gidMaps: [], rootless: false })
  })

  test('knows the manifest by the last descriptor', () => {
    const walk = [DESCRIPTOR, { ...DESCRIPTOR, size: 7 }]
    const text = JSON.stringify({ ...DOCUMENT, from_descriptor_path: { descriptor_walk: walk } })
    expect(sourceManifest(parseMetadata(text)).size).toBe(7)
  })

  const walkOf = (descriptor: object) => ({
    from_descriptor_path: { descriptor_walk: [descriptor] }
  })
  const mapsOf = (maps: unknown) => ({ map_options: { uid_mappings: maps } })
  const WALK = '/from_descriptor_path/descriptor_walk'

  test.each<[object, string]>([
    [{ umoci_version: '1' }, '/umoci_version'],
    [{ umoci_version: 2 }, '/umoci_version'],
    [{ whiteout_mode: 1 }, '/whiteout_mode'],
    [{ from_descriptor_path: null }, '/from_descriptor_path'],
    [{ from_descriptor_path: { descriptor_walk: [] } }, WALK],
    [walkOf({ ...DESCRIPTOR, mediaType: 1 }), `${WALK}/0/mediaType`],
    [walkOf({ ...DESCRIPTOR, digest: 'sha256:../../x' }), `${WALK}/0/digest`],
    [walkOf({ ...DESCRIPTOR, size: -1 }), `${WALK}/0/size`],
    [{ map_options: [] }, '/map_options'],
    [mapsOf({}), '/map_options/uid_mappings'],
    [mapsOf([{ containerID: 0, hostID: '0', size: 1 }]), '/map_options/uid_mappings/0']
  ])('refuses %j and points at %s', (change, pointer) => {
    expect(() => parseMetadata(JSON.stringify({ ...DOCUMENT, ...change }))).toThrow(
      expect.objectContaining({
        code: 'BUNDLE_INVALID',
        facts: expect.objectContaining({ file: 'umoci.json', pointer }) as unknown,
        hint: expect.any(String) as unknown
      })
    )
  })

  test.each(['', '{', '[]', 'null', '"x"'])('refuses %j', (text) => {
    expect(() => parseMetadata(text)).toThrow(expect.objectContaining({ code: 'BUNDLE_INVALID' }))
  })
})
