import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { hostPlatform, parsePlatform } from '../../src/image/platform.ts'
import type { Descriptor, Platform } from '../../src/image/types.ts'
import { openLayout } from '../../src/store/layout.ts'
import { assertLayers, resolveImage, type ResolvedImage } from '../../src/store/resolve.ts'
import { failure, failureCode } from '../image/errors.ts'
import { buildLayout, LINUX, type TestLayout } from './build-layout.ts'

const ARM: Platform = parsePlatform('linux/arm64')
let built: TestLayout
beforeEach(() => {
  built = buildLayout()
})
afterEach(() => built.remove())

function resolve(platform?: Platform, tag = 't'): ResolvedImage {
  return resolveImage(openLayout(built.path), tag, platform)
}

function forPlatform(platform: Platform): Descriptor {
  return { ...built.image({ layers: [platform.architecture], platform }), platform }
}

const digests = (image: ResolvedImage): string[] => image.descriptorPath.map(({ digest }) => digest)

describe('a tag that names a manifest', () => {
  test('leads to the documents, as parsed and as stored', () => {
    const manifest = built.image({ layers: ['one', 'two'] })
    built.tag({ t: manifest })
    const image = resolve()
    expect(digests(image)).toEqual([manifest.digest])
    expect(image.manifest.layers).toHaveLength(2)
    expect(image.config.rootfs.diff_ids).toHaveLength(2)
    expect(image.rawManifest).toEqual(readFileSync(built.pathOf(manifest.digest)))
    expect(image.rawConfig).toEqual(readFileSync(built.pathOf(image.manifest.config.digest)))
  })

  test('needs no platform, but one that is given must fit', () => {
    const foreign = parsePlatform(
      hostPlatform().architecture === 's390x' ? 'linux/arm64' : 'linux/s390x'
    )
    built.tag({ t: built.image({ platform: foreign }) })
    expect(resolve().config.architecture).toBe(foreign.architecture)
    expect(resolve(foreign).config.architecture).toBe(foreign.architecture)
    const error = failure(() => resolve(parsePlatform('linux/386')))
    expect(error.code).toBe('PLATFORM_NOT_FOUND')
    expect(error.facts.available).toBe(`linux/${foreign.architecture}`)
  })

  test('may be of Docker schema 2', () => {
    const config = built.blob(
      JSON.stringify({ ...LINUX, container: 'x', rootfs: { type: 'layers', diff_ids: [] } }),
      'application/vnd.docker.container.image.v1+json'
    )
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
    const text = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] })
    built.tag({ t: built.blob(text, mediaType) })
    expect(resolve().config).toMatchObject({ container: 'x' })
  })
})

describe('a tag that names an index', () => {
  test('leads to the manifest of the platform, through nested indexes', () => {
    const arm = forPlatform(ARM)
    const inner = built.index([arm])
    const outer = built.index([forPlatform(LINUX), inner])
    built.tag({ t: outer })
    const image = resolve(ARM)
    expect(digests(image)).toEqual([outer.digest, inner.digest, arm.digest])
    expect(image.config.architecture).toBe('arm64')
    expect(resolve(LINUX).config.architecture).toBe('amd64')
  })

  test('takes the host as platform where none is given', () => {
    const host = hostPlatform()
    built.tag({ t: built.index([forPlatform(host), forPlatform(parsePlatform('plan9/mips'))]) })
    expect(resolve().config.architecture).toBe(host.architecture)
  })

  test('is refused where no manifest fits, also if there is only one', () => {
    built.tag({ t: built.index([forPlatform(ARM)]) })
    const error = failure(() => resolve(LINUX))
    expect(error.code).toBe('PLATFORM_NOT_FOUND')
    expect(error.facts).toEqual({ platform: 'linux/amd64', available: 'linux/arm64' })
  })

  test('checks the config where the only manifest has no platform', () => {
    built.tag({ t: built.index([built.image({ platform: ARM })]) })
    expect(failureCode(() => resolve(LINUX))).toBe('PLATFORM_NOT_FOUND')
    expect(resolve(ARM).config.architecture).toBe('arm64')
  })

  test('does not need what it does not choose', () => {
    const absent = { ...forPlatform(ARM) }
    const nested = built.index([absent])
    rmSync(built.pathOf(absent.digest))
    rmSync(built.pathOf(nested.digest))
    const strange: Descriptor = { ...absent, mediaType: 'application/x-strange' }
    built.tag({ t: built.index([strange, absent, nested, forPlatform(LINUX)]) })
    expect(resolve(LINUX).config.architecture).toBe('amd64')
  })

  test('is refused where the nested index that may hold the image is absent', () => {
    const nested = built.index([forPlatform(LINUX)])
    rmSync(built.pathOf(nested.digest))
    built.tag({ t: built.index([nested]) })
    expect(failureCode(() => resolve(LINUX))).toBe('BLOB_NOT_FOUND')
  })

  test('is refused where indexes nest too deeply', () => {
    let index = built.index([forPlatform(LINUX)])
    for (let depth = 0; depth < 20; depth++) index = built.index([index])
    built.tag({ t: index })
    expect(failureCode(() => resolve(LINUX))).toBe('LIMIT_EXCEEDED')
  })

  test('is read once however often indexes name each other', () => {
    let index = built.index([forPlatform(LINUX)])
    for (let depth = 0; depth < 14; depth++)
      index = built.index(Array.from({ length: 10 }, () => index))
    built.tag({ t: index })
    expect(resolve(LINUX).config.architecture).toBe('amd64')
  })

  test('is refused where it offers an absurd number of manifests', () => {
    const platform = forPlatform(LINUX)
    const many = Array.from({ length: 10_001 }, (_item, number) => ({
      ...platform,
      digest: `sha256:${number.toString(16).padStart(64, '0')}` as Descriptor['digest']
    }))
    built.tag({ t: built.index(many) })
    expect(failureCode(() => resolve(LINUX))).toBe('LIMIT_EXCEEDED')
  })
})

describe('an image is refused', () => {
  test('where the tag is missing', () => {
    built.tag({ t: built.image() })
    expect(failureCode(() => resolve(LINUX, 'u'))).toBe('TAG_NOT_FOUND')
  })

  test('where it is an artifact', () => {
    const config = built.blob('{}', 'application/vnd.oci.empty.v1+json')
    const text = JSON.stringify({ schemaVersion: 2, config, layers: [] })
    built.tag({ t: built.blob(text, OCI_MANIFEST) })
    const error = failure(() => resolve())
    expect(error.code).toBe('MEDIA_TYPE_UNSUPPORTED')
    expect(error.facts).toMatchObject({
      expected: 'an image config',
      found: 'application/vnd.oci.empty.v1+json'
    })
  })

  test('where it is of a type that is not known', () => {
    built.tag({ t: built.blob('{}', 'application/vnd.docker.distribution.manifest.v1+prettyjws') })
    expect(failureCode(() => resolve())).toBe('MEDIA_TYPE_UNSUPPORTED')
  })

  test('where manifest and config count layers differently', () => {
    built.tag({ t: built.image({ layers: ['a', 'b'], diffIds: [] }) })
    const error = failure(() => assertLayers(resolve()))
    expect(error.code).toBe('DOCUMENT_INVALID')
    expect(error.facts.reason).toBe('has 0 entries, but the manifest has 2 layers')
  })

  test('where an index poses as a manifest', () => {
    const index = built.index([built.image()])
    built.tag({ t: { ...index, mediaType: OCI_MANIFEST } })
    expect(failureCode(() => resolve())).toBe('DOCUMENT_INVALID')
  })

  test('where a manifest is damaged', () => {
    const manifest = built.image()
    writeFileSync(built.pathOf(manifest.digest), ' '.repeat(manifest.size))
    built.tag({ t: manifest })
    expect(failureCode(() => resolve())).toBe('BLOB_DIGEST_MISMATCH')
  })
})

test('an image is not harmed by foreign files, or by a subject that is absent', () => {
  const layer = built.blob('layer', OCI_LAYER)
  const subject = { ...layer, mediaType: OCI_MANIFEST, digest: `sha256:${'0'.repeat(64)}` }
  const config = built.blob(
    JSON.stringify({ ...LINUX, rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
    OCI_CONFIG
  )
  built.tag({
    t: built.blob(
      JSON.stringify({ schemaVersion: 2, config, layers: [layer], subject }),
      OCI_MANIFEST
    )
  })
  writeFileSync(join(built.path, 'blobs', 'README'), '')
  mkdirSync(join(built.path, 'blobs', 'sha256', 'odd'))
  expect(resolve().manifest.subject).toEqual(subject)
})
