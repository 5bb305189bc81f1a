/** Images of layers and what joins them, as far as they can be told apart: all have the same size here. */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  isJoined,
  layerBlocks,
  deviceTag,
  withJoinedImages
} from '../../src/engine/erofs/joined-images.ts'
import { joinedUuid, layerUuid } from '../../src/engine/erofs/image-uuid.ts'
import { ImageTree } from '../../src/erofs/image-tree.ts'
import { layerImage, mergedImage, type ImageParts } from '../../src/erofs/write-image.ts'
import { chainIds, digestOf, type Digest } from '../../src/image/digest.ts'
import { writeImage } from '../../src/rootfs/write-erofs.ts'
import { failure } from '../support/failure.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const [LOWER, UPPER, OTHER] = ['lower', 'upper', 'other'].map((name) => digestOf(Buffer.from(name)))
let directory: string
const at = (name: string): string => `${directory}/${name}`

beforeEach(() => {
  directory = makeTemporary()
  for (const [name, diffId] of [
    ['lower', LOWER!],
    ['upper', UPPER!],
    ['other', OTHER!]
  ] as const)
    write(name, layerImage(new ImageTree(), 1, layerUuid(diffId)))
  const blocks = layerBlocks({ path: at('lower'), diffId: LOWER! })
  const tags = [LOWER!, UPPER!].map(deviceTag)
  const devices = tags.map(() => ({ blocks }))
  const uuid = joinedUuid(chainIds([LOWER!, UPPER!]).at(-1)!)
  const joined = mergedImage(new ImageTree(), { devices, form: 'devices', uuid })
  write('joined', { ...joined, header: joined.header(tags) })
})
afterEach(() => removeTemporary(directory))

function write(name: string, image: ImageParts): void {
  const fd = openSync(`${directory}/${name}`, 'wx')
  writeImage(fd, image)
  closeSync(fd)
}

function joins(layers: readonly [string, Digest][]): boolean {
  const files = layers.map(([name, diffId]) => ({ path: at(name), diffId }))
  return isJoined(at('joined'), files, chainIds(files.map(({ diffId }) => diffId)).at(-1)!)
}

const mount = (...layers: string[]): unknown =>
  failure(() => withJoinedImages(at('joined'), layers.map(at), () => undefined))

test('belong together in their order, and in no other', () => {
  expect(withJoinedImages(at('joined'), [at('lower'), at('upper')], () => 'open')).toBe('open')
  expect(mount('upper', 'lower')).toMatchObject({
    code: 'EROFS_INVALID',
    facts: { file: at('upper'), reason: 'it is the image of something else' }
  })
  expect(mount('lower', 'other')).toMatchObject({ facts: { file: at('other') } })
  expect(mount('lower')).toMatchObject({ code: 'EROFS_INVALID' })
  expect(
    joins([
      ['lower', LOWER!],
      ['upper', UPPER!]
    ])
  ).toBe(true)
  expect(
    joins([
      ['upper', UPPER!],
      ['lower', LOWER!]
    ])
  ).toBe(false)
  expect(
    joins([
      ['lower', LOWER!],
      ['other', OTHER!]
    ])
  ).toBe(false)
})

test.each([
  ['cut short', () => truncateSync(at('upper'), 4096), '4096 bytes'],
  ['emptied', () => truncateSync(at('upper'), 0), '0 bytes'],
  ['lengthened', () => appendFileSync(at('upper'), Buffer.alloc(4096)), '12288 bytes'],
  ['replaced', () => copyFileSync(at('other'), at('upper')), `UUID ${deviceTag(OTHER!)}`],
  ['replaced by a longer one', replaceByLonger, `UUID ${deviceTag(OTHER!)}`],
  ['removed', () => rmSync(at('upper')), undefined]
])('a layer that was %s is named, and not the link to it', (_, damage, found) => {
  symlinkSync('upper', at('link'))
  damage()
  expect(mount('lower', 'link')).toMatchObject({
    code: 'EROFS_INVALID',
    facts: {
      file: at('upper'),
      ...(found === undefined ? { reason: 'it is missing' } : { found })
    },
    hint: expect.stringMatching(/unpack the image again with the same hooks/i) as string
  })
})

function replaceByLonger(): void {
  copyFileSync(at('other'), at('upper'))
  appendFileSync(at('upper'), Buffer.alloc(4096))
}

test('an image that names layers by their digests is mounted with its directory', () => {
  const devices = [{ blocks: layerBlocks({ path: at('lower'), diffId: LOWER! }) }]
  const image = mergedImage(new ImageTree(), { devices, form: 'devices', uuid: layerUuid(OTHER!) })
  const sha256 = 'a'.repeat(64)
  rmSync(at('joined'))
  write('joined', { ...image, header: image.header([sha256]) })
  expect(mount('lower')).toMatchObject({
    code: 'EROFS_INVALID',
    facts: { file: at('joined'), expected: 'UUIDs of layers', found: `sha256:${sha256}` },
    hint: 'Mount the directory that it is in, without layers.'
  })
})

test('are refused where one was cut, lengthened or replaced', () => {
  copyFileSync(at('lower'), at('longer'))
  appendFileSync(at('longer'), Buffer.alloc(4096))
  expect(mount('longer', 'upper')).toMatchObject({ code: 'EROFS_INVALID' })
  expect(failure(() => layerBlocks({ path: at('longer'), diffId: LOWER! }))).toMatchObject({
    facts: { file: at('longer'), reason: 'it was lengthened' }
  })
  expect(failure(() => layerBlocks({ path: at('lower'), diffId: UPPER! }))).toMatchObject({
    facts: { reason: 'it is the image of something else' }
  })
  copyFileSync(at('joined'), at('copy'))
  for (const damage of [
    (): void => truncateSync(at('joined'), 4096),
    (): void => appendFileSync(at('joined'), 'x')
  ]) {
    damage()
    expect(
      joins([
        ['lower', LOWER!],
        ['upper', UPPER!]
      ])
    ).toBe(false)
    copyFileSync(at('copy'), at('joined'))
  }
  writeFileSync(at('joined'), '')
  expect(mount('lower', 'upper')).toMatchObject({ code: 'EROFS_INVALID' })
})
