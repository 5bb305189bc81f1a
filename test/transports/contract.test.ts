/** The contract of transport.ts, which every transport of the list has to keep. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { probeDecompressors } from '../../src/codec/choice.ts'
import type { OciUnpackError } from '../../src/errors.ts'
import { digestOf, type Digest } from '../../src/image/digest.ts'
import { listTags } from '../../src/image/tags.ts'
import { checkBlobs } from '../../src/engine/transfer/check-blobs.ts'
import { openBlob } from '../../src/store/blob.ts'
import { tryCollectGarbage } from '../../src/store/garbage.ts'
import type { ImageSource } from '../../src/store/image-source.ts'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage, type ResolvedImage } from '../../src/store/resolve.ts'
import {
  formatImageName,
  parseDestination,
  parseImageName,
  parsePlace,
  parseNewName
} from '../../src/transports/image-name.ts'
import { TRANSPORTS, transportOf } from '../../src/transports/list.ts'
import { openImages, tagInIndex } from '../../src/transports/open-images.ts'
import type { WriterEvent, WriterHelp } from '../../src/transports/transport.ts'
import { privateName } from '../../src/workspace/private-name.ts'
import { failure, failureCode } from '../image/errors.ts'
import { buildImage } from '../support/image-builder.ts'
import { noPause } from '../support/no-pause.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { flipBit, PLACES, removeBlob } from './places.ts'

const LAYERS = [tar(file('a', 'body')), tar(file('b', Buffer.alloc(3 << 20, 'b')))]

let work: string
let there: string
let source: ImageSource
beforeEach(() => {
  work = makeTemporary()
  there = `${work}/there`
  mkdirSync(there)
  const { layout } = buildImage(`${work}/source`, {
    layers: LAYERS,
    tag: 't',
    config: { os: 'linux', architecture: 'amd64' }
  })
  source = openLayout(layout)
})
afterEach(() => removeTemporary(work))

/** Of the host's platform or another: a tag that names a manifest needs none. */
function imageOf(from: ImageSource, tag: string | undefined): ResolvedImage {
  return resolveImage(from, tag)
}

function helper(changes: Partial<WriterHelp> = {}): WriterHelp & { events: WriterEvent[] } {
  const events: WriterEvent[] = []
  const decompressor = probeDecompressors('none', process.env)
  const settings = { jobs: 0, decompressor, signal: undefined }
  return {
    breathe: () => Promise.resolve(),
    wait: noPause,
    check: (from, blobs) => checkBlobs(from, blobs, settings),
    writeTree: () => Promise.reject(new Error('only tar: asks for it')),
    processors: 1,
    decompressor,
    onEvent: (event) => events.push(event),
    onLeftover: () => undefined,
    ...changes,
    events
  }
}

function write(name: string, help: WriterHelp = helper()): Promise<Digest | undefined> {
  return parseDestination(name)({ source, tag: 't', platform: undefined }, help)
}

async function open(text: string): Promise<{ images: ImageSource; image: () => ResolvedImage }> {
  const name = parseImageName(text)
  const images = await openImages(name)
  return { images, image: () => imageOf(images, tagInIndex(name)) }
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'nothing was thrown',
    (error: unknown) => (error as OciUnpackError).code
  )
}

function layerBytes(images: ImageSource, { manifest }: ResolvedImage, index: number): number {
  const blob = openBlob(images.blobSource(manifest.layers[index]!))
  try {
    blob.verify()
    return blob.size
  } finally {
    blob.close()
  }
}

/** Those that hold only the tree of an image, or are not on this disk, have tests of their own. */
const OTHERS = ['tar', 'docker']

test('every transport of the list is held to it', () => {
  const held = TRANSPORTS.map(({ name }) => name).filter((name) => !OTHERS.includes(name))
  expect(PLACES.map(({ transport }) => transport)).toEqual(held)
})

describe.each(PLACES)('$transport', (place) => {
  const named = (tag?: string): string =>
    `${place.transport}:${there}/x${tag === undefined ? '' : `:${tag}`}`

  describe('a name', () => {
    test('is printed as it was read', () => {
      for (const tag of [undefined, ...place.tags]) {
        const name = parseImageName(named(tag))
        expect(name).toMatchObject({ transport: place.transport, tag })
        expect(formatImageName(name)).toBe(named(tag))
      }
    })

    test('of a place has no tag', () => {
      expect(parsePlace(named()).tag).toBeUndefined()
      expect(failureCode(() => parsePlace(named(place.tags[0])))).toBe('REFERENCE_INVALID')
    })

    test('that is wrong is refused, and the hint shows all forms', () => {
      for (const wrong of [...place.wrong.map(named), `${place.transport}:`]) {
        const { code, hint } = failure(() => parseDestination(wrong))
        expect(code, wrong).toBe('REFERENCE_INVALID')
        for (const { name, usage } of TRANSPORTS) expect(hint).toContain(`${name}:${usage.one}`)
      }
    })

    test('can be changed where the transport says so', () => {
      const isLayout = 'inLayout' in transportOf(parseImageName(named()))
      if (isLayout)
        expect(parseNewName(named('12'))).toMatchObject({ path: `${there}/x`, tag: '12' })
      else expect(failureCode(() => parseNewName(named('12')))).toBe('REFERENCE_INVALID')
    })
  })

  describe('what was written is read again', () => {
    test.each(['12', undefined])('under the tag %s', async (tag) => {
      const { events, ...help } = helper()
      const digest = await write(named(tag), help)
      const { images, image } = await open(named(tag))
      expect(images.path).toBe(resolve(there, 'x'))
      expect(image().rawConfig).toEqual(imageOf(source, 't').rawConfig)
      if (digest !== undefined) expect(image().descriptorPath[0].digest).toBe(digest)
      for (const index of LAYERS.keys())
        expect(layerBytes(images, image(), index)).toBe(image().manifest.layers[index]!.size)
      expect(events.filter(({ type }) => type === 'blob').length).toBeGreaterThanOrEqual(2)
      expect(readdirSync(there)).toEqual(['x'])
    })

    test('by any transport', async () => {
      await write(named('12'))
      const from = await open(named('12'))
      for (const { transport: name } of PLACES) {
        const to = parseDestination(`${name}:${work}/${name}:again`)
        const tag = tagInIndex(parseImageName(named('12')))
        await to({ source: from.images, tag, platform: undefined }, helper())
        const again = await open(`${name}:${work}/${name}:again`)
        expect(again.image().rawConfig).toEqual(from.image().rawConfig)
      }
    })
  })

  describe('reading tells', () => {
    test('which tags there are where one is missing', async () => {
      await write(named('12'))
      const { images } = await open(named('12'))
      const other = await open(named('13'))
      expect(failure(() => other.image())).toMatchObject({
        code: 'TAG_NOT_FOUND',
        facts: { available: listTags(images.readIndex()).join(', ') }
      })
    })

    test('where nothing is', async () => {
      expect(await codeOf(open(named()))).toBe(place.absent)
    })

    test('where documents are damaged', async () => {
      await write(named('12'))
      place.damage(`${there}/x`)
      const read = open(named('12')).then(({ image }) => image())
      expect(await codeOf(read)).toBe(place.damaged)
    })

    test('where a document is larger than the limit', async () => {
      await write(named('12'))
      const name = parseImageName(named('12'))
      const read = openImages(name, { maxDocumentSize: 40 }).then((images) => images.readIndex())
      expect(await codeOf(read)).toBe('LIMIT_EXCEEDED')
    })

    test('where a blob is damaged', async () => {
      await write(named('12'))
      const { images, image } = await open(named('12'))
      flipBit(images.blobSource(image().manifest.layers[0]!))
      expect(failureCode(() => layerBytes(images, image(), 0))).toBe('BLOB_DIGEST_MISMATCH')
    })

    test('where a blob is absent', async () => {
      await write(named('12'))
      const { images } = await open(named('12'))
      const digest = digestOf(Buffer.from('nobody has this'))
      const blob = images.blobSource({ mediaType: 'x/y', digest, size: 1 })
      expect(failureCode(() => openBlob(blob))).toBe('BLOB_NOT_FOUND')
    })
  })

  test('a hold keeps collections away until it is released', async () => {
    await write(named('12'))
    const name = parseImageName(named('12'))
    const hold = await transportOf(name).hold?.(name, noPause)
    if (hold === undefined) return
    const layout = openLayout(`${there}/x`)
    expect(tryCollectGarbage(layout)).toBeUndefined()
    hold.release()
    expect(tryCollectGarbage(layout)).toEqual({ blobs: [], workspaces: [] })
  })

  describe('nothing can be seen of an image', () => {
    test('that has a damaged layer', async () => {
      flipBit(source.blobSource(imageOf(source, 't').manifest.layers[1]!))
      expect(await codeOf(write(named('12')))).toBe('BLOB_DIGEST_MISMATCH')
      expect(readdirSync(there)).toEqual([])
    })

    test('that lacks a layer', async () => {
      removeBlob(source.blobSource(imageOf(source, 't').manifest.layers[1]!))
      expect(await codeOf(write(named('12')))).toBe('BLOB_NOT_FOUND')
      expect(readdirSync(there)).toEqual([])
    })

    test('that its writer gave up, and before it is whole', async () => {
      let calls = 0
      const help = helper({
        breathe: () => {
          expect(readdirSync(there)).not.toContain('x')
          return ++calls === 3 ? Promise.reject(new Error('given up')) : Promise.resolve()
        }
      })
      await expect(write(named('12'), help)).rejects.toThrow('given up')
      expect(readdirSync(there)).toEqual([])
    })
  })

  test('an image that exists is kept', async () => {
    await write(named('12'))
    const before = (await open(named('12'))).image()
    if (place.existing === 'refused') expect(await codeOf(write(named('13')))).toBe(place.occupied)
    else await write(named('13'))
    const after = await open(named('12'))
    expect(after.image().rawManifest).toEqual(before.rawManifest)
    expect(listTags(after.images.readIndex())).toHaveLength(place.existing === 'kept' ? 2 : 1)
  })

  test('a file of somebody else is kept', async () => {
    writeFileSync(`${there}/x`, 'precious')
    expect(await codeOf(write(named('12')))).toBe(place.occupied)
    expect(readFileSync(`${there}/x`, 'utf8')).toBe('precious')
    expect(readdirSync(there)).toEqual(['x'])
  })

  test('what a killed writer left behind is removed, and the work of a live one is not', async () => {
    let goOn = (): void => undefined
    let begin = (): void => undefined
    const waiting = new Promise<void>((done) => (goOn = done))
    const begun = new Promise<void>((done) => (begin = done))
    const breathe = (): Promise<void> => (begin(), waiting)
    const live = write(`${named()}-live:12`, helper({ breathe }))
    await begun
    const [unfinished] = readdirSync(there)
    const left = privateName('x')
    mkdirSync(`${there}/${left}`)
    const removed: string[] = []
    await write(named('12'), helper({ onLeftover: (path) => removed.push(path) }))
    expect(removed).toEqual([`${there}/${left}`])
    expect(readdirSync(there).sort()).toEqual([unfinished, 'x'])
    goOn()
    await live
    expect(readdirSync(there).sort()).toEqual(['x', 'x-live'])
  })
})
