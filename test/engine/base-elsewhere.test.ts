/** Bundles that are repacked to another place than their image came from. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copy, initLayout, OciUnpackError, repack, unpack, verify } from '../../src/index.ts'
import { library } from '../support/dist.ts'
import { NAME, startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

let work: string
let bundle: string
let registry: FaultyRegistry
beforeEach(async () => {
  work = makeTemporary()
  bundle = `${work}/bundle`
  registry = await startFaultyRegistry()
})
afterEach(async () => {
  await registry.close()
  removeTemporary(work)
})

/** Each makes an image in a file or directory at the path, and returns its name. */
const SOURCES: readonly [string, (path: string) => Promise<string>][] = [
  ['oci', (path) => Promise.resolve(buildImage(path, { layers: [LAYER] }).reference)],
  ['oci-archive', (path) => copied(`oci-archive:${path}`)],
  ['docker-archive', (path) => copied(`docker-archive:${path}`)],
  [
    'tar',
    (path) => {
      writeFileSync(path, LAYER)
      return Promise.resolve(`tar:${path}`)
    }
  ]
]
const LAYER = tar(file('f', 'content'))

async function copied(destination: string): Promise<string> {
  const { reference } = buildImage(`${work}/built`, { layers: [LAYER] })
  await copy({ source: reference, destination, jobs: 0 })
  return destination
}

const DESTINATIONS: readonly [string, () => Promise<string>][] = [
  [
    'a layout',
    async () => {
      await initLayout({ layout: `${work}/other` })
      return `${work}/other:new`
    }
  ],
  ['a registry', () => Promise.resolve(`docker://${registry.host}/${NAME}:new`)]
]

async function edited(image: string): Promise<void> {
  await unpack({ image, destination: bundle, jobs: 0, ...unpackOptions })
  writeFileSync(`${bundle}/rootfs/g`, 'new')
}

async function failureOf(image: string): Promise<OciUnpackError> {
  const error: unknown = await repack({ image, bundle }).catch((error: unknown) => error)
  if (error instanceof OciUnpackError) return error
  throw new Error('it did not fail')
}

describe.each(DESTINATIONS)('a bundle that is repacked to %s', (_, destination) => {
  test.each(SOURCES)('takes its base along from %s', async (_, make) => {
    await edited(await make(`${work}/source`))
    const image = await destination()
    const { manifestDigest } = await repack({ image, bundle })
    await library.copy({ source: image, destination: `${work}/back:new` })
    const { blobs } = await verify({ image: `${work}/back:new`, jobs: 0 })
    expect(blobs.at(-1)!.digest).toBe(manifestDigest)
    expect(blobs.map(({ role, status }) => `${role} ${status}`)).toEqual([
      'config ok',
      'layer ok',
      'layer ok',
      'manifest ok'
    ])
  })

  test('does not need the tag that the image had', async () => {
    const reference = buildImage(`${work}/source`, { layers: [LAYER] }).reference
    await edited(reference)
    const index = JSON.parse(readFileSync(`${work}/source/index.json`, 'utf8')) as object
    writeFileSync(`${work}/source/index.json`, JSON.stringify({ ...index, manifests: [] }))
    await repack({ image: await destination(), bundle })
  })

  test('says what it lacks if the archive is another one now', async () => {
    const path = `${work}/source`
    writeFileSync(path, LAYER)
    await edited(`tar:${path}`)
    appendFileSync(path, Buffer.alloc(512))
    const image = await destination()
    const { digest } = walkOf(bundle)
    const { facts, hint } = await failureOf(image)
    expect(facts).toMatchObject({
      image,
      expected: digest,
      reason: `tar:${path}: What is there is another image.`
    })
    expect(hint).toContain('oci-unpack copy IMAGE ')
  })

  test('says what it lacks if the image is gone, or if the bundle does not say where it is', async () => {
    const { reference } = buildImage(`${work}/source`, { layers: [LAYER] })
    await edited(reference)
    rmSync(`${work}/source`, { recursive: true })
    const image = await destination()
    const gone = await failureOf(image)
    expect(gone.message).toContain('the image that the bundle came from')
    expect(gone.hint).toContain(`oci:${work}/source@${walkOf(bundle).digest}`)
    const metadata = readFileSync(`${bundle}/umoci.json`, 'utf8')
    writeFileSync(`${bundle}/umoci.json`, metadata.replace(/,"image_source":\{[^}]*\}/, ''))
    const unknown = await failureOf(image)
    expect(unknown.code).toBe(gone.code)
    expect(unknown.hint).toContain('does not say where its image is')
  })
})

function walkOf(path: string): { digest: string } {
  const { from_descriptor_path: from } = JSON.parse(readFileSync(`${path}/umoci.json`, 'utf8')) as {
    from_descriptor_path: { descriptor_walk: [{ digest: string }] }
  }
  return from.descriptor_walk[0]
}
