import { describe, expect, test } from 'vitest'
import { selectManifest, target } from '../../src/image/choice.ts'
import type { DescriptorPath } from '../../src/image/choice.ts'
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
  const choose = (wanted: string, ...manifests: Descriptor[]): Descriptor =>
    target(selectManifest(below(...manifests), parsePlatform(wanted)))

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

  test('takes a manifest without a platform only where it is the only one', () => {
    expect(choose('linux/amd64', bare)).toBe(bare)
    expect(choose('linux/amd64', attestation, bare)).toBe(bare)
    expect(failure(() => choose('linux/amd64', bare, v6)).code).toBe('PLATFORM_NOT_FOUND')
  })

  test('never takes an attestation', () => {
    const error = failure(() => choose('unknown/unknown', attestation))
    expect(error.code).toBe('PLATFORM_NOT_FOUND')
    expect(error.facts.available).toBe('no images')
  })

  test('lists what is there where nothing fits', () => {
    const error = failure(() => choose('linux/s390x', amd64, v7, bare))
    expect(error.code).toBe('PLATFORM_NOT_FOUND')
    expect(error.facts).toEqual({
      platform: 'linux/s390x',
      available: 'linux/amd64, linux/arm/v7, no platform'
    })
  })

  test('lists the rivals where several fit equally well', () => {
    const other = manifest('other', 'linux/amd64')
    const error = failure(() => choose('linux/amd64', amd64, other, v7))
    expect(error.code).toBe('PLATFORM_AMBIGUOUS')
    expect(error.facts.available).toBe(`linux/amd64 ${amd64.digest}, linux/amd64 ${other.digest}`)
  })

  test('counts a manifest that is reached by two ways once', () => {
    expect(choose('linux/amd64', amd64, amd64)).toBe(amd64)
  })

  test('lets a manifest have the platform of the index above it', () => {
    const armIndex = { ...root, platform: parsePlatform('linux/arm64') }
    const paths: DescriptorPath[] = [
      [root, armIndex, bare],
      [root, amd64]
    ]
    expect(selectManifest(paths, parsePlatform('linux/arm64'))).toBe(paths[0])
  })
})
