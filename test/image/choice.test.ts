import { describe, expect, test } from 'vitest'
import { selectManifest, target } from '../../src/image/choice.ts'
import type { DescriptorPath, OwnPlatform } from '../../src/image/choice.ts'
import { digestOf } from '../../src/image/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { parsePlatform } from '../../src/image/platform.ts'
import type { Descriptor } from '../../src/image/types.ts'
import { failure } from './errors.ts'

function manifest(name: string, platform?: string, annotations = {}): Descriptor {
  return {
    mediaType: OCI_MANIFEST,
    digest: digestOf(Buffer.from(name)),
    size: 1,
    annotations,
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) })
  }
}

describe('selectManifest', () => {
  const root: Descriptor = { ...manifest('root'), mediaType: OCI_INDEX }
  const below = (...manifests: Descriptor[]): DescriptorPath[] =>
    manifests.map((leaf) => [root, leaf])
  /** What manifests say of themselves; those that are not here say nothing. */
  const own = new Map<string, OwnPlatform>()
  const ask = ({ digest }: Descriptor): OwnPlatform => (own.has(digest) ? own.get(digest) : 'any')
  const choose = (wanted: string, ...manifests: Descriptor[]): Descriptor =>
    target(selectManifest(below(...manifests), parsePlatform(wanted), ask))
  const saying = (name: string, platform: string | undefined): Descriptor => {
    const descriptor = manifest(name)
    own.set(descriptor.digest, platform === undefined ? undefined : parsePlatform(platform))
    return descriptor
  }

  const amd64 = manifest('amd64', 'linux/amd64')
  const v6 = manifest('v6', 'linux/arm/v6')
  const v7 = manifest('v7', 'linux/arm/v7')
  const bare = manifest('bare')
  const attestation = manifest('attestation', 'unknown/unknown', {
    'vnd.docker.reference.type': 'attestation-manifest'
  })

  test('takes the best that the platform can run', () => {
    expect(choose('linux/arm', amd64, v6, v7)).toBe(v7)
    expect(choose('linux/arm/v7', v6, amd64)).toBe(v6)
    expect(choose('linux/amd64', v6, amd64, bare)).toBe(amd64)
  })

  const sayingArm = saying('of arm', 'linux/arm/v7')
  const sayingAmd = saying('of amd64', 'linux/amd64')
  const sbom = saying('sbom', undefined)

  test('takes the first of several that fit equally well', () => {
    const zstd = manifest('zstd', 'linux/amd64', {
      'io.github.containers.compression.zstd': 'true'
    })
    expect(choose('linux/amd64', v7, amd64, zstd)).toBe(amd64)
    expect(choose('linux/amd64', zstd, amd64)).toBe(zstd)
  })

  test('asks a manifest whose entry has no platform', () => {
    expect(choose('linux/amd64', sayingArm, sayingAmd)).toBe(sayingAmd)
    expect(choose('linux/arm', sayingAmd, v6, sayingArm)).toBe(sayingArm)
    expect(choose('linux/amd64', sayingAmd, amd64)).toBe(sayingAmd)
    expect(choose('linux/amd64', amd64, sayingAmd)).toBe(amd64)
    const empty = { ...sayingAmd, platform: { os: '', architecture: '' } }
    expect(choose('linux/amd64', v6, empty)).toBe(empty)
  })

  test('asks nobody after an exact match', () => {
    const fail = (): never => {
      throw new Error('asked')
    }
    const path = below(amd64, bare)
    expect(selectManifest(path, parsePlatform('linux/amd64'), fail)).toBe(path[0])
  })

  test('takes a manifest that says nothing of its platform if nothing else fits', () => {
    expect(choose('linux/amd64', bare)).toBe(bare)
    expect(choose('linux/amd64', attestation, bare)).toBe(bare)
    expect(choose('linux/amd64', v6, bare)).toBe(bare)
    expect(choose('linux/amd64', bare, manifest('bare too'))).toBe(bare)
    expect(choose('linux/amd64', bare, amd64)).toBe(amd64)
  })

  test('takes the only image, whatever its config says, if its entry has no platform', () => {
    expect(choose('linux/amd64', sayingArm)).toBe(sayingArm)
    expect(choose('linux/amd64', sbom, sayingArm)).toBe(sayingArm)
    expect(failure(() => choose('linux/amd64', v7)).code).toBe('PLATFORM_NOT_FOUND')
    expect(failure(() => choose('linux/amd64', sayingArm, v7)).code).toBe('PLATFORM_NOT_FOUND')
  })

  test.each<[string, Partial<Descriptor>]>([
    ['has a type of its own', { artifactType: 'application/spdx+json' }],
    ['is for an unknown platform', { platform: parsePlatform('unknown/unknown') }],
    [
      'is about another entry',
      { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }
    ]
  ])('never takes an entry that %s', (_what, fields) => {
    const artifact = { ...manifest('artifact'), ...fields }
    expect(choose('linux/amd64', artifact, amd64)).toBe(amd64)
    expect(failure(() => choose('linux/amd64', artifact))).toMatchObject({
      code: 'PLATFORM_NOT_FOUND',
      facts: { available: 'no images' },
      hint: 'Nothing in the index is an image. It can be copied, but not unpacked.'
    })
  })

  test('takes an image with the artifact type of images, which is that of their config', () => {
    const image = { ...amd64, artifactType: 'application/vnd.oci.image.config.v1+json' }
    expect(choose('linux/amd64', image)).toBe(image)
  })

  test('never takes an attestation', () => {
    const error = failure(() => choose('unknown/unknown', attestation))
    expect(error.code).toBe('PLATFORM_NOT_FOUND')
    expect(error.facts.available).toBe('no images')
  })

  test('lists what is there where nothing fits', () => {
    const error = failure(() => choose('linux/s390x', amd64, v7, sayingArm, sbom))
    expect(error.code).toBe('PLATFORM_NOT_FOUND')
    expect(error.facts).toEqual({
      platform: 'linux/s390x',
      available: 'linux/amd64, linux/arm/v7, linux/arm/v7'
    })
  })

  test('counts a manifest that is reached by two ways once', () => {
    expect(choose('linux/amd64', amd64, amd64)).toBe(amd64)
    expect(choose('linux/amd64', sayingArm, sayingArm)).toBe(sayingArm)
  })

  test('takes a manifest that is there for several platforms for each of them', () => {
    const asArm = { ...amd64, platform: parsePlatform('linux/arm64') }
    expect(choose('linux/arm64', amd64, asArm)).toBe(asArm)
  })

  test('lets a manifest have the platform of the index above it', () => {
    const armIndex = { ...root, platform: parsePlatform('linux/arm64') }
    const paths: DescriptorPath[] = [
      [root, armIndex, bare],
      [root, amd64]
    ]
    expect(selectManifest(paths, parsePlatform('linux/arm64'), ask)).toBe(paths[0])
  })
})
