import { describe, expect, test } from 'vitest'
import { layerCompression, layerMediaType, mediaKind } from '../../src/image/media-types.ts'
import { failure } from './errors.ts'

describe('mediaKind', () => {
  test.each([
    ['application/vnd.oci.image.index.v1+json', 'index'],
    ['application/vnd.docker.distribution.manifest.list.v2+json', 'index'],
    ['application/vnd.oci.image.manifest.v1+json', 'manifest'],
    ['application/vnd.docker.distribution.manifest.v2+json', 'manifest'],
    ['application/vnd.oci.image.config.v1+json', 'config'],
    ['application/vnd.docker.container.image.v1+json', 'config'],
    ['application/vnd.oci.empty.v1+json', 'empty'],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'other'],
    ['application/vnd.cncf.helm.config.v1+json', 'other'],
    ['constructor', 'other']
  ])('knows %s as %s', (mediaType, kind) => {
    expect(mediaKind(mediaType).kind).toBe(kind)
  })

  test('tells layers that may not be pushed from others', () => {
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
    expect(mediaKind(foreign)).toMatchObject({ kind: 'layer', distributable: false })
    expect(mediaKind(layerMediaType('gzip'))).toMatchObject({ distributable: true })
  })
})

describe('layerCompression', () => {
  test.each([
    ['application/vnd.oci.image.layer.v1.tar', 'none'],
    ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar', 'none'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'zstd'],
    ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
    ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar', 'none'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.zstd', 'zstd']
  ])('of %s is %s', (mediaType, compression) => {
    expect(layerCompression(mediaType)).toBe(compression)
  })

  test.each([
    'application/vnd.oci.image.layer.v1.tar+xz',
    'application/vnd.oci.image.layer.v1.tar+gzip+zstd',
    'application/vnd.oci.image.layer.v1.tar+',
    'application/vnd.oci.image.config.v1+json',
    'application/octet-stream'
  ])('refuses %s', (mediaType) => {
    const error = failure(() => layerCompression(mediaType))
    expect(error.code).toBe('MEDIA_TYPE_UNSUPPORTED')
    expect(error.facts).toEqual({ found: mediaType })
  })

  test('says of an encrypted layer that it must be decrypted', () => {
    const encrypted = 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted'
    expect(failure(() => layerCompression(encrypted)).hint).toContain('Decrypt')
  })

  test('reads what layerMediaType names', () => {
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      expect(layerCompression(layerMediaType(compression))).toBe(compression)
    }
  })
})
