/** What erofs.json may say. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openImageSet, parseImageSet } from '../../src/engine/erofs/read-image-set.ts'
import { chainIds, type Digest } from '../../src/image/digest.ts'
import { failure } from '../support/failure.ts'
import { withTemporary } from '../support/temporary.ts'

const A = `sha256:${'a'.repeat(64)}` as Digest
const B = `sha256:${'b'.repeat(64)}`
const device = { name: 'a.erofs', digest: B, size: 8192, diffId: A }
const merged = { name: 'merged.erofs', digest: A, size: 4096 }
const tree = {
  name: 'a.erofs.verity',
  digest: B,
  size: 8192,
  file: 'a.erofs',
  rootHash: 'a'.repeat(64)
}
const set = { formatVersion: 1, image: { digest: B, chainId: A }, merged, devices: [device] }

function parse(value: unknown): unknown {
  return parseImageSet(Buffer.from(JSON.stringify(value)))
}

test('a sound one is read', () => {
  expect(parse(set)).toEqual(set)
})

test('hash trees are of images', () => {
  const verity = [tree, { ...tree, name: 'm', file: 'merged.erofs' }]
  expect(parse({ ...set, verity })).toEqual({ ...set, verity })
})

test('layers with the same content may share a file, and no others', () => {
  const chainId = chainIds([A, A]).at(-1)!
  const twice = { ...set, image: { ...set.image, chainId }, devices: [device, device] }
  expect(parse(twice)).toEqual(twice)
  const { facts } = failure(() =>
    parse({ ...twice, devices: [device, { ...device, size: 4096 }] })
  )!
  expect(facts.reason).toContain('several contents')
})

test.each<[string, unknown, string]>([
  ['a newer version', { ...set, formatVersion: 2, more: 1 }, 'format 1'],
  ['no version', { ...set, formatVersion: undefined }, '/formatVersion'],
  ['a text as version', { ...set, formatVersion: '1' }, '/formatVersion'],
  ['an unknown field', { ...set, more: 1 }, '/more'],
  [
    'an unknown field of a device',
    { ...set, devices: [{ ...device, 'a/b': 1 }] },
    '/devices/0/a~1b'
  ],
  ['another directory', { ...set, merged: { ...merged, name: '../m' } }, '/merged/name'],
  ['a hidden name', { ...set, merged: { ...merged, name: '.' } }, '/merged/name'],
  ['half a block', { ...set, devices: [{ ...device, size: 6000 }] }, '/devices/0/size'],
  ['no block', { ...set, merged: { ...merged, size: 0 } }, '/merged/size'],
  ['no size that numbers hold', { ...set, merged: { ...merged, size: 2 ** 60 } }, '/merged/size'],
  ['no digest', { ...set, merged: { ...merged, digest: 'sha256:1' } }, '/merged/digest'],
  ['no devices', { ...set, devices: [] }, '/devices'],
  ['other layers', { ...set, devices: [{ ...device, diffId: B }] }, 'in their order'],
  ['one file for two', { ...set, merged: { ...merged, name: 'a.erofs' } }, 'several contents'],
  ['a disk that is a layer', { ...set, disk: { ...merged, name: 'a.erofs' } }, 'several contents'],
  ['the merged image again', { ...set, linear: merged }, 'several contents'],
  ['itself', { ...set, disk: { ...merged, name: 'erofs.json' } }, 'several contents'],
  ['a hash tree of no image', { ...set, verity: [{ ...tree, file: 'b.erofs' }] }, 'of no image'],
  ['two hash trees of an image', { ...set, verity: [tree, { ...tree, name: 'b' }] }, 'only one'],
  ['a hash tree that is an image', { ...set, verity: [{ ...tree, name: 'a.erofs' }] }, 'several'],
  [
    'a layer without a hash tree',
    { ...set, verity: [{ ...tree, file: 'merged.erofs' }] },
    'no hash tree'
  ],
  ['a short root hash', { ...set, verity: [{ ...tree, rootHash: 'ab' }] }, '/rootHash'],
  ['a list', [], ''],
  ['nothing', null, '']
])('is refused: %s', (_name, value, says) => {
  const { code, facts } = failure(() => parse(value))!
  expect(code).toBe('EROFS_INVALID')
  expect(facts.file).toBe('erofs.json')
  expect(JSON.stringify(facts)).toContain(says)
})

test('is refused: no JSON', () => {
  expect(failure(() => parseImageSet(Buffer.from('{')))!.facts.reason).toContain('is not JSON')
})

test('an unknown field is named, and nothing points nowhere', () => {
  expect(failure(() => parse({ ...set, more: 1 }))!.facts).toMatchObject({
    reason: 'is not a known field'
  })
  expect(failure(() => parse([]))!.facts).not.toHaveProperty('pointer')
})

test.each([
  ['a directory without it', (path: string) => mkdirSync(path), 'it has no erofs.json'],
  ['a file', (path: string) => writeFileSync(path, ''), 'it is not a directory']
])('%s is not one that makeErofs made', (_, make, reason) =>
  withTemporary((directory) => {
    const path = `${directory}/images`
    make(path)
    expect(failure(() => openImageSet(path))).toMatchObject({
      code: 'EROFS_INVALID',
      facts: { path, reason },
      hint: 'Name a directory that `oci-unpack erofs make` has made.'
    })
  })
)

test('one that is not valid is named with its directory', () =>
  withTemporary((path) => {
    writeFileSync(`${path}/erofs.json`, '[]')
    expect(failure(() => openImageSet(path))!.facts).toMatchObject({ file: 'erofs.json', path })
    rmSync(`${path}/erofs.json`)
    symlinkSync('elsewhere', `${path}/erofs.json`)
    expect(failure(() => openImageSet(path))!.facts.path).toBe(`${path}/erofs.json`)
  }))
